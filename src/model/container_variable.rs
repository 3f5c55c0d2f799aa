//! The variables of the container that a service uses.

use serde::Serialize;

/// A variable of the container that a service uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContainerVariable {
    /// Its name.
    pub name: String,
    /// Its value if the container does not set it. Without one the container must set it.
    pub default: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether its value is secret. Then it comes from the file that `NAME_FILE` names, if the container sets that variable.
    pub is_secret: bool,
}

/// A file with variables that a service reads at each start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnvironmentFile {
    /// Its absolute path.
    pub path: String,
    /// Whether it may be missing.
    pub is_optional: bool,
}

/// What is added to the environment of a service before its `environment`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Inputs {
    /// The variables of the container that texts of the service can refer to.
    pub variables: Vec<ContainerVariable>,
    /// The names of its secrets.
    pub secrets: Vec<String>,
    /// Files with variables.
    pub environment_files: Vec<EnvironmentFile>,
}

impl Inputs {
    /// Whether a start needs something that may be missing.
    pub fn may_be_missing(&self) -> bool {
        self.variables.iter().any(|variable| variable.default.is_none())
            || !self.secrets.is_empty()
            || !self.environment_files.is_empty()
    }
}

/// Whether a variable can have this name in a shell and in execline.
pub fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
