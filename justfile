# Every command that a person runs; `just` lists them. The scripts work without `just`.

[private]
default:
    @just --list --unsorted

# One audio and one video from a bundled conversation, offline.
demo *arguments:
    deploy/demo {{ arguments }}

# Every test; with arguments, those that a nextest filter names.
test *arguments:
    tests/run {{ arguments }}

# A release in target/dist: programs, manual, completions, units, licences, a bill of materials.
dist *arguments:
    deploy/dist {{ arguments }}

# The steps of the images in a fresh Debian, and one job in them; needs root.
try-image *arguments:
    deploy/try-image {{ arguments }}

# What must pass before anything lands.
ci:
    .ci/run

# Format the code.
fmt:
    cargo fmt --all

# The lints alone.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# What the queue costs, beside two floors on the same Redis.
bench *arguments:
    tests/bench/run {{ arguments }}

# The description of the API, made anew from its routes.
openapi:
    cargo run --quiet --package api --example openapi > deploy/openapi.json

# The types of the TypeScript client, made anew from that description.
clients:
    deploy/clients/typescript/make-types

# A million jobs through one Redis: lost, doubled, memory, old records; goes on where it was ended.
soak *arguments:
    tests/bench/soak/run {{ arguments }}

# What a filter and a bulk action take with 100,000 jobs.
bench-search *arguments:
    tests/bench/search/run {{ arguments }}

# What traces cost a worker, whatever becomes of its collector.
bench-traces *arguments:
    tests/bench/traces/run {{ arguments }}

# How long what a provider has sent can still be lost, on a busy machine whose store is a bucket.
bench-window *arguments:
    tests/bench/window/run {{ arguments }}

# How long somebody waits for the first sound of a live job.
bench-live jobs='9':
    tests/bench/live/run {{ jobs }}

# What making a file takes, beside the tuned Python flow on the same provider.
bench-production *arguments:
    tests/bench/production/run {{ arguments }}

# What the voice of `deploy/voice` takes.
bench-voice:
    tests/bench/voice/run

# Every reader of foreign bytes, a million inputs each.
fuzz *arguments:
    tests/fuzz {{ arguments }}

# The API against its description: requests that nobody has thought of.
fuzz-api:
    tests/fuzz-api

# The queue's faults against apalis-redis at default settings, side by side with ours.
baseline *words:
    tests/baseline/run {{ words }}

# Takes one rule at a time out of the queue; its tests must turn red.
mutate *names:
    tests/mutate/run {{ names }}
