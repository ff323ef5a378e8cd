//! facts

pub struct Invention {
    pub text: String,
}
pub fn check(
    _: &str,
    _: &serde_json::Value,
    _: crate::template::Locale,
    _: chrono::NaiveDate,
) -> Result<(), Vec<Invention>> {
    Ok(())
}
