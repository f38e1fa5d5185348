"""What the two programs are made of.

In: `cargo metadata` on stdin; as arguments Cargo.lock, a folder, and what `cargo tree` lists as compiled,
a name and a version a line: `cargo metadata` also knows parts that no feature turns on.
Out, in that folder: `sbom.cdx.json`, a bill of materials (CycloneDX 1.5), and `THIRD-PARTY.txt`, the
licences of all parts in their own words. The same sources give the same bytes.
"""

import datetime
import json
import os
import pathlib
import sys
import tomllib
import uuid

PROGRAMS = {"ops": "stillcast", "worker": "stillcast-worker"}
# What crates call the files of their licences.
LICENCES = ("licen[cs]e*", "LICEN[CS]E*", "COPYING*", "UNLICENSE*", "NOTICE*")


def closure(metadata, compiled):
    """The packages that are compiled into the programs, and what each of them needs."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = {}
    open_ends = [id for id, package in packages.items() if package["name"] in PROGRAMS and package["source"] is None]
    while open_ends:
        id = open_ends.pop()
        if id in needs:
            continue
        is_compiled = lambda dep: any(kind["kind"] is None for kind in dep["dep_kinds"]) and (
            "{name} v{version}".format(**packages[dep["pkg"]]) in compiled
        )
        needs[id] = [dep["pkg"] for dep in nodes[id]["deps"] if is_compiled(dep)]
        open_ends += needs[id]
    return {id: (packages[id], needs[id]) for id in needs}


def reference(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, checksums):
    found = {
        "type": "application" if package["name"] in PROGRAMS and package["source"] is None else "library",
        "bom-ref": reference(package),
        "name": package["name"],
        "version": package["version"],
        "purl": reference(package),
    }
    if package["license"]:
        # An old spelling of a choice.
        found["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    checksum = checksums.get((package["name"], package["version"]))
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if package["repository"]:
        found["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return found


def bill(parts, lock):
    checksums = {(one["name"], one["version"]): one.get("checksum") for one in lock["package"]}
    packages = sorted((package for package, _ in parts.values()), key=reference)
    version = next(package["version"] for package in packages if package["name"] == "ops")
    of = lambda ids: sorted({reference(parts[id][0]) for id in ids})
    dependencies = {reference(package): of(needs) for package, needs in parts.values()}
    root = f"pkg:generic/stillcast@{version}"
    own = [reference(package) for package in packages if package["name"] in PROGRAMS and package["source"] is None]
    moment = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.UTC)
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": moment.isoformat(),
            "component": {"type": "application", "bom-ref": root, "name": "stillcast", "version": version},
        },
        "components": [component(package, checksums) for package in packages],
        "dependencies": [{"ref": root, "dependsOn": own}]
        + [{"ref": ref, "dependsOn": needs} for ref, needs in sorted(dependencies.items())],
    }
    body["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True)).urn
    return body


def third_party(parts):
    """The licences of whatever is not ours, each text once, with the names of those that have it."""
    texts = {}
    for package, _ in sorted(parts.values(), key=lambda part: reference(part[0])):
        if package["source"] is None:
            continue
        folder = pathlib.Path(package["manifest_path"]).parent
        files = sorted({file for pattern in LICENCES for file in folder.glob(pattern) if file.is_file()})
        name = f"{package['name']} {package['version']} ({package['license']})"
        for text in [file.read_text(errors="replace").strip() for file in files] or [""]:
            texts.setdefault(text, []).append(name)
    line = "-" * 100
    without = "\n".join(texts.pop("", []))
    pages = [f"{line}\n" + "\n".join(names) + f"\n{line}\n\n{text}\n" for text, names in texts.items()]
    if without:
        pages.append(f"{line}\nThese bring no text of their own; their licence is the one in brackets:\n{without}\n")
    return "\n".join(pages)


def main():
    metadata = json.load(sys.stdin)
    with open(sys.argv[1], "rb") as file:
        lock = tomllib.load(file)
    folder = pathlib.Path(sys.argv[2])
    # Behind name and version stand where it comes from, and that it was listed before.
    lines = pathlib.Path(sys.argv[3]).read_text().splitlines()
    compiled = {" ".join(line.split(" ")[:2]) for line in lines if line}
    parts = closure(metadata, compiled)
    (folder / "sbom.cdx.json").write_text(json.dumps(bill(parts, lock), indent=1) + "\n")
    (folder / "THIRD-PARTY.txt").write_text(third_party(parts))


main()
