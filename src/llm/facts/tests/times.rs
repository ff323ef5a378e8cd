//! Times of day.

use super::super::Kind::Time;
use super::{bad, good};
use crate::template::Locale::{En, Es};

#[test]
fn times_in_english() {
    good(
        En,
        &[
            "Stand-up at 9:00.",
            "Stand-up at 09:00",
            "Stand-up at 9am",
            "Stand-up at 9 am",
            "Stand-up at 9 a.m. sharp",
            "Stand-up at 9 AM",
            "Stand-up at 9.00 h",
            "Stand-up at 9 o'clock",
            "Stand-up at nine o’clock",
            "Stand-up at nine",
            "Stand-up at 9, dentist at 11:30",
            "Stand-up 9-9:30",
            "09:00–09:30 Stand-up",
            "from 9:00 to 9:30",
            "from 9 to 9:30 am",
            "half past nine is the end of it",
            "half past eleven: dentist",
            "Dentist at 11.30am",
            "Review at noon",
            "Review at 12 noon",
            "Review from 12 to 1:30 pm",
            "Gym 5:30 pm to 7pm",
            "Gym at 5:30 p.m.",
            "Gym at 5:30PM",
            "Gym at 17:30",
            "Gym 17:30:00",
            "Gym at 5:30 in the afternoon",
            "This evening at 5:30: gym",
            "Gym at half past five",
            "gym between 5:30 and 7 pm",
            "until 7 in the evening",
            "at nine in the morning",
            "Gym tonight, until 19:00",
            "Gym at five-thirty",
        ],
    );
    bad(
        En,
        &[
            ("Stand-up at 10:15.", "10:15", Time),
            ("Stand-up at 9:05", "9:05", Time),
            ("Stand-up at 9pm", "9pm", Time),
            ("Stand-up at 9 p.m.", "9 p.m.", Time),
            ("Gym at 5:30 am", "5:30 am", Time),
            ("Gym at 5:30 in the morning", "5:30 in the morning", Time),
            ("Gym at 16:30", "16:30", Time),
            ("Stand-up at eight", "at eight", Time),
            ("Stand-up at 8", "at 8", Time),
            ("Stand-up at ten fifteen", "at ten fifteen", Time),
            ("quarter to nine", "quarter to nine", Time),
            ("Lunch is at two o'clock", "two o'clock", Time),
            ("Sleep at midnight", "midnight", Time),
            ("from 9:00 to 9:45", "9:45", Time),
            ("Call at 23:59:59", "23:59:59", Time),
            ("Stand-up ９:４５", "９:４５", Time),
        ],
    );
}

#[test]
fn times_in_spanish() {
    good(
        Es,
        &[
            "Reunión a las 9",
            "Reunión a las 9:00",
            "Reunión a las 09:00 h",
            "Reunión a las 9.00 h",
            "Reunión a las 9h",
            "Reunión a las nueve",
            "Reunión a las nueve en punto",
            "a las nueve de la mañana",
            "a las 9 de la mañana",
            "a las 9:00 a. m.",
            "de 9 a 9:30",
            "de 9:00 a 9:30",
            "de 9 a 10 no, pero de 11:30 a 12:30 sí",
            "a las once y media, dentista",
            "a las 11 y media",
            "entre las 12:00 y las 13:30",
            "al mediodía, revisión",
            "hasta la una y media",
            "gimnasio a las 17:30",
            "gimnasio a las 5:30 de la tarde",
            "gimnasio a las cinco y media",
            "gimnasio a las cinco y media de la tarde",
            "esta tarde a las 5:30, gimnasio",
            "hasta las siete de la tarde",
            "hasta las 7 p. m.",
            "a las doce, revisión",
            "mañana a las 10:00, natación",
            "mañana por la mañana a las diez, natación",
            "por la mañana, reunión",
            "A las 9 horas, reunión",
        ],
    );
    bad(
        Es,
        &[
            ("Reunión a las 10:15", "10:15", Time),
            ("Reunión a las 8", "a las 8", Time),
            ("Reunión a las ocho", "a las ocho", Time),
            ("Reunión a las nueve y cuarto", "a las nueve y cuarto", Time),
            (
                "Reunión a las nueve menos cuarto",
                "a las nueve menos cuarto",
                Time,
            ),
            ("a las 9 de la noche", "a las 9 de la noche", Time),
            ("a las 9:00 de la noche", "9:00 de la noche", Time),
            (
                "gimnasio a las 5:30 de la mañana",
                "5:30 de la mañana",
                Time,
            ),
            ("a la una", "a la una", Time),
            ("a medianoche", "medianoche", Time),
            ("reunión a las 14.45 h", "14.45 h", Time),
            ("reunión a las 14h", "14h", Time),
        ],
    );
}
