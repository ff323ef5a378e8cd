//! stub
#[derive(Debug, Clone, Copy, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    Disk,
    Memory,
    Load,
    Temperature,
    FailedUnits,
    Reboots,
}
#[derive(Debug, Clone)]
pub struct Thresholds {
    pub disk: Option<f64>,
    pub memory: Option<f64>,
    pub load: Option<f64>,
    pub temperature: Option<f64>,
}
pub fn example() -> serde_json::Value {
    serde_json::json!({"alarms": [{"text": "text"}]})
}
