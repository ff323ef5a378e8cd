//! The one macro: an enum of kinds, each a file, with the word it has in job files.

/// Writes the enum of resolved kinds, the enum of authored ones, and the matches over both.
///
/// A module `m` of kind `K` has a struct `m::Authored` (as typed) with `resolve(self, &mut Scope) -> Option<K>`.
macro_rules! kinds {
    (
        $(#[$doc:meta])*
        $kind:ident, $authored:ident {
            $($word:literal => $variant:ident($module:ident),)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub enum $kind {
            $(#[doc = concat!("`", $word, "`")] $variant($variant),)*
        }

        /// The same, as typed in the file.
        #[derive(Debug)]
        pub enum $authored {
            $(#[doc = concat!("`", $word, "`")] $variant($module::Authored),)*
        }

        /// The words of the kinds, in the order that help shows them.
        pub const WORDS: &[&str] = &[$($word),*];

        impl $authored {
            /// Reads a table whose kind key is `word`.
            pub fn read(
                word: &str,
                table: $crate::config::read::Table<'_>,
                reader: &mut $crate::config::read::Reader<'_>,
            ) -> Option<Self> {
                match word {
                    $($word => reader.table(table, COMMON).map($authored::$variant),)*
                    _ => None,
                }
            }

            /// Checks it against everything else and gives the kind.
            pub fn resolve(self, scope: &mut $crate::config::resolve::Scope<'_>) -> Option<$kind> {
                match self {
                    $($authored::$variant(authored) => authored.resolve(scope).map($kind::$variant),)*
                }
            }

            /// The JSON Schema of every kind's own keys, by word.
            pub fn schemas(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<(&'static str, schemars::Schema)> {
                use schemars::JsonSchema;
                vec![$(($word, $module::Authored::json_schema(generator))),*]
            }
        }

        impl $kind {
            /// The kind's word in job files.
            pub fn word(&self) -> &'static str {
                match self {
                    $($kind::$variant(_) => $word,)*
                }
            }
        }
    };
}
