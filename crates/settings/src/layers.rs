//! Defaults, file and environment go in, each over the one before; one text a setting comes out.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use crate::environment::{Environment, Sources};
use crate::fault::Fault;
use crate::knobs::{Index, Knobs, Name};

/// What a setting was set to, and where. No `Debug`: it may be a secret.
pub(crate) struct Setting {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// Where a setting was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File,
    Environment,
}

impl Origin {
    /// A setting's name as it is written there.
    pub(crate) fn spell(self, name: &str) -> String {
        match self {
            Self::File => name.to_owned(),
            Self::Default | Self::Environment => name.to_ascii_uppercase(),
        }
    }
}

type Layer = BTreeMap<&'static str, String>;

/// All settings, and what was wrong with their names.
pub(crate) struct Layers {
    pub(crate) index: Index,
    /// One for each name of the defaults.
    pub(crate) settings: BTreeMap<&'static str, Setting>,
    pub(crate) faults: Vec<Fault>,
    /// Worth saying, but no fault.
    pub(crate) notes: Vec<String>,
}

impl Layers {
    /// Lays the sources over the defaults.
    pub(crate) fn new(knobs: Knobs, sources: &Sources) -> Self {
        let mut layers = Self {
            index: knobs.index(),
            settings: BTreeMap::new(),
            faults: Vec::new(),
            notes: Vec::new(),
        };
        layers.add_defaults();
        if let Some(file) = &sources.file {
            layers.add_file(file);
        }
        layers.add_environment(&sources.environment);
        layers
    }

    fn add_defaults(&mut self) {
        let table = parse(self.index.knobs.defaults).expect("the compiled-in defaults are tested");
        for (name, text) in self.layer_of(table) {
            self.settings.insert(name, Setting { text, origin: Origin::Default });
        }
    }

    fn add_file(&mut self, path: &Path) {
        let shown = path.display().to_string();
        match std::fs::read_to_string(path) {
            Err(error) => self.faults.push(Fault::new(shown, format!("cannot be read: {error}"))),
            Ok(text) => match parse(&text) {
                Err(message) => self.faults.push(Fault::new(shown, message)),
                Ok(table) => {
                    let layer = self.layer_of(table);
                    self.lay(layer, Origin::File);
                }
            },
        }
    }

    fn add_environment(&mut self, environment: &Environment) {
        let mut layer = Layer::new();
        for (variable, value) in environment.iter() {
            // A name that is no text is nobody's setting.
            let Some(variable) = variable.to_str() else { continue };
            match (self.index.judge_variable(variable), value.to_str()) {
                (Name::Known(known), Some(text)) => _ = layer.insert(known, text.to_owned()),
                (Name::Known(_), None) => {
                    self.faults.push(Fault::new(variable, "is not valid UTF-8"));
                }
                (Name::NotYet, _) => {
                    self.notes.push(format!("{variable} is set, and does nothing in this version"));
                }
                (Name::Foreign, _) => {}
                (slip, _) => self.refuse(variable, slip, Origin::Environment),
            }
        }
        self.lay(layer, Origin::Environment);
    }

    /// The file's table as texts; names and values that cannot be are faults.
    fn layer_of(&mut self, table: Table) -> Layer {
        let mut layer = Layer::new();
        for (name, value) in table {
            match (self.index.judge(&name), plain(&value)) {
                (Name::Known(known), Some(text)) => _ = layer.insert(known, text),
                (Name::Known(_), None) => {
                    self.faults.push(Fault::new(name, "is a text, a number, true or false"));
                }
                (slip, _) => self.refuse(&name, slip, Origin::File),
            }
        }
        layer
    }

    fn refuse(&mut self, name: &str, slip: Name, origin: Origin) {
        let message = match slip {
            Name::Split([one, other]) => {
                format!("is two settings: {} and {}", origin.spell(one), origin.spell(other))
            }
            Name::Near(known) => {
                format!("is no setting; did you mean {}?", origin.spell(known))
            }
            Name::NotYet => "is not in this version; remove it".to_owned(),
            Name::Known(_) | Name::Foreign => {
                format!("is no setting of {}", self.index.knobs.owner)
            }
        };
        self.faults.push(Fault::new(name, message));
    }

    /// An empty text is no setting: what lies below stays.
    fn lay(&mut self, mut layer: Layer, origin: Origin) {
        layer.retain(|_, text| !text.is_empty());
        self.read_secrets(&mut layer, origin);
        for (name, text) in layer {
            self.settings.insert(name, Setting { text, origin });
        }
    }

    /// A secret in a file becomes the secret itself.
    fn read_secrets(&mut self, layer: &mut Layer, origin: Origin) {
        for name in self.index.knobs.names() {
            let file = self.index.secret_file_of(name).filter(|file| layer.contains_key(file));
            let Some(file) = file else { continue };
            let spelled = origin.spell(file);
            if layer.contains_key(name) {
                let message = format!("and {} are both set; keep one", origin.spell(name));
                self.faults.push(Fault::new(spelled, message));
                continue;
            }
            match std::fs::read_to_string(&layer[file]) {
                Ok(text) => _ = layer.insert(name, text.trim().to_owned()),
                // Not the path: somebody may have put the secret itself there.
                Err(error) => {
                    self.faults.push(Fault::new(spelled, format!("cannot be read: {error}")));
                }
            }
        }
    }
}

/// The error names the line, never its content: that may be a secret.
fn parse(text: &str) -> Result<Table, String> {
    text.parse::<Table>().map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        format!("is no TOML at line {line}")
    })
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}
