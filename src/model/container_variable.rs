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
}
