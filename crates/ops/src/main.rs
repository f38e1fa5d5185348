//! `stillcast`: a command line goes in; a file, a record or a sentence comes out, and an exit code.

mod cli_error;
mod commands;
mod config;
mod connect;
mod context;
mod description;
mod doctor;
mod duration;
mod embedded;
mod input;
mod job_files;
mod overview;
mod progress;
mod render;
mod request;
mod signals;
mod user;
mod wiring;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Config;
use crate::context::Context;
use crate::description::Description;
use crate::render::Screen;

/// Turns a conversation, or any text, into a guided meditation.
#[derive(Parser)]
#[command(name = "stillcast", version, about, after_help = commands::EXIT_CODES)]
struct CommandLine {
    /// Prints JSON, one document a line, alone on stdout.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    asked: Asked,
}

#[derive(Subcommand)]
enum Asked {
    #[command(flatten)]
    Command(Box<commands::Command>),
    #[command(flatten)]
    Description(Description),
}

fn main() -> ExitCode {
    let CommandLine { json, asked } = CommandLine::parse();
    let screen = Screen::new(json);
    let ended = match asked {
        Asked::Command(command) => run(*command, &screen),
        Asked::Description(description) => description.give(CommandLine::command()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            screen.note(&format!("stillcast: {error:#}"));
            cli_error::exit_code(&error)
        }
    }
}

fn run(command: commands::Command, screen: &Screen) -> anyhow::Result<()> {
    let config = Config::from_environment(command.is_embedded())?;
    let context = Context { config: Arc::new(config), screen: screen.clone(), user: user::name() };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(command.run(&context))
}
