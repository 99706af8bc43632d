//! `thingpost shadow`.

use std::path::Path;

use serde_json::{Value, json};
use thingpost_host::runtime::types::{Shadow, ShadowListing, ShadowUpdate};

use super::pages::Pagination;
use super::{QueryError, QueryRunner};
use crate::args::{ShadowArgs, ShadowCommand, ShadowListArgs, ShadowName, UpdateArgs};
use crate::error::{CliError, one_line};
use crate::files::input_file::InputFile;
use crate::lines::first_line;
use crate::message::payload;
use crate::terminal::{answer, put};

/// Names that AWS gives at once.
const LARGEST_PAGE: u32 = 100;

pub(super) async fn run(command: &ShadowCommand) -> Result<(), QueryError> {
    match command {
        ShadowCommand::Get(arguments) => get(arguments).await,
        ShadowCommand::Update(arguments) => update(arguments).await,
        ShadowCommand::Delete(arguments) => delete(arguments).await,
        ShadowCommand::List(arguments) => list(arguments).await,
    }
}

async fn get(arguments: &ShadowArgs) -> Result<(), QueryError> {
    let shadow = shadow(&arguments.shadow);
    let mut runner = QueryRunner::open(&arguments.operation, &[]).await?;
    let document = runner.ask(async |mut aws| aws.get_shadow(&shadow).await).await?;
    show(&document, runner.json);
    Ok(())
}

async fn update(arguments: &UpdateArgs) -> Result<(), QueryError> {
    let file = arguments.document.file.as_ref();
    let document = match file {
        Some(path) => document_in(path)?,
        None => arguments.document.document.clone().unwrap_or_default().into_bytes(),
    };
    let inputs: Vec<_> = file.map(|path| InputFile { option: "--file", path: path.clone() }).into_iter().collect();
    let max_state_bytes = arguments.max_state_bytes;
    let update = ShadowUpdate { shadow: shadow(&arguments.shadow), document, max_state_bytes };
    let mut runner = QueryRunner::open(&arguments.operation, &inputs).await?;
    let document = runner.ask(async |mut aws| aws.update_shadow(&update).await).await?;
    show(&document, runner.json);
    Ok(())
}

/// The document without the mark that Excel and PowerShell put before a text, and that no reader of JSON at AWS takes.
fn document_in(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut document = payload::read("document", path)?;
    first_line::check(&mut document)
        .map_err(|error| CliError::new(format!("cannot read the document from {}", path.display()), error))?;
    Ok(document)
}

async fn delete(arguments: &ShadowArgs) -> Result<(), QueryError> {
    let shadow = shadow(&arguments.shadow);
    let mut runner = QueryRunner::open(&arguments.operation, &[]).await?;
    let document = runner.ask(async |mut aws| aws.delete_shadow(&shadow).await).await?;
    show(&document, runner.json);
    Ok(())
}

async fn list(arguments: &ShadowListArgs) -> Result<(), QueryError> {
    let mut runner = QueryRunner::open(&arguments.list.operation, &[]).await?;
    let mut pages = Pagination::new(arguments.list.limit, LARGEST_PAGE);
    while let Some(page) = pages.next() {
        let listing = ShadowListing { thing: arguments.thing.clone(), page };
        let part = runner.ask(async |mut aws| aws.list_named_shadows(&listing).await).await?;
        for name in pages.take(part.names, part.next)? {
            match runner.json {
                true => answer(json!({ "name": name })),
                false => answer(one_line(&name)),
            }
        }
    }
    Ok(())
}

fn shadow(arguments: &ShadowName) -> Shadow {
    Shadow { thing: arguments.thing.clone(), name: arguments.name.clone() }
}

/// The document byte for byte, or as part of an object.
fn show(document: &[u8], json: bool) {
    match json {
        true => answer(object(document)),
        false => put(document),
    }
}

/// The document stands in it as AWS wrote it, numbers above all: to read and to write it again would change some.
fn object(document: &[u8]) -> String {
    let text = String::from_utf8_lossy(document);
    match serde_json::from_str::<Value>(&text) {
        // Line breaks can stand between the parts of JSON only.
        Ok(_) => format!(r#"{{"outcome":"done","document":{}}}"#, one_line(&text)),
        Err(_) => json!({ "outcome": "done", "document": text }).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_stands_in_its_object_as_it_came() {
        let document = "{\"state\" : {\"z\":21.50,\n\t\"a\":1e2,\"b\":123456789012345678901234567890}}\r\n";
        let expected = document.replace(['\n', '\r', '\t'], " ");
        assert_eq!(object(document.as_bytes()), format!(r#"{{"outcome":"done","document":{expected}}}"#));
        assert_eq!(object(b"what?"), r#"{"document":"what?","outcome":"done"}"#);
    }
}
