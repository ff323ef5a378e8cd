//! What people write into their folder, right and wrong.

mod design;
mod golden;
mod hostile;
mod schema;
