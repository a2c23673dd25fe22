//! The specialized forms a site was seen in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Specialized forms with the misses of each, in the order of their names. Most sites have one, and
/// there are many sites: a map would take several times the room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forms(Box<[(String, u64)]>);

impl Forms {
    /// None was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many were seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each form with its misses.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(form, misses)| (form.as_str(), *misses))
    }
}

impl FromIterator<(String, u64)> for Forms {
    fn from_iter<I: IntoIterator<Item = (String, u64)>>(forms: I) -> Self {
        let sorted: BTreeMap<_, _> = forms.into_iter().collect();
        Self(sorted.into_iter().collect())
    }
}

impl Serialize for Forms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Forms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<String, u64>::deserialize(deserializer).map(Self::from_iter)
    }
}

impl JsonSchema for Forms {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Forms".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, u64>::json_schema(generator)
    }
}
