//! Dates, weekdays, and days by their distance.

use super::super::Kind::{Date, Number, Weekday};
use super::{bad, good};
use crate::template::Locale::{En, Es};

#[test]
fn dates_and_weekdays() {
    good(
        En,
        &[
            "Friday 20 November",
            "Friday, November 20th, 2026",
            "Nov 20th",
            "Nov. 20",
            "20 Nov 2026",
            "the 20th of November",
            "the twentieth of November",
            "2026-11-20",
            "20/11",
            "20/11/2026",
            "11/20/2026",
            "20.11.2026",
            "Fri 20 Nov",
            "Fri, 09:00: Stand-up",
            "It is Friday",
            "Friday the 20th",
            "today and tomorrow",
            "Saturday starts at 10:00 with swimming",
            "Tomorrow, 21 November",
            "December 8 is a holiday, a Tuesday",
            "In December there is a holiday",
            "You may rest, and march on in the sun",
            "Good morning! Here is your day in 2026.",
            "See you tomorrow",
            "The 20 is here",
            "09:30 November 20",
        ],
    );
    good(
        Es,
        &[
            "Viernes, 20 de noviembre",
            "viernes 20 de noviembre de 2026",
            "el viernes 20",
            "20 de noviembre del 2026",
            "el veinte de noviembre",
            "20-nov-2026",
            "20/11/26",
            "hoy es viernes",
            "mañana, sábado",
            "mañana sabado 21",
            "el 8 de diciembre, martes, es fiesta",
            "día 20",
            "¡Hasta mañana!",
            "Esta mañana hay reunión; toda la mañana",
            "Un mar de cosas",
        ],
    );
    bad(
        En,
        &[
            ("Thursday 20 November", "Thursday 20 November", Date),
            ("It is Monday", "Monday", Weekday),
            ("21 Nov 2025", "21 Nov 2025", Date),
            ("November 19", "November 19", Date),
            ("2026-11-23", "2026-11-23", Date),
            ("on 12/11", "12/11", Date),
            ("20 November 2025", "20 November 2025", Date),
            ("in January", "January", Date),
            ("the second week of March", "of March", Date),
            ("Yesterday was quiet", "Yesterday", Date),
            ("the day after tomorrow", "day after tomorrow", Date),
            ("on the 23rd", "23rd", Number),
            ("Friday 27", "Friday 27", Date),
            ("Wed 09:00", "Wed", Weekday),
            (
                "the twenty-first of December",
                "twenty-first of December",
                Date,
            ),
        ],
    );
    bad(
        Es,
        &[
            ("jueves, 20 de noviembre", "jueves, 20 de noviembre", Date),
            ("el miércoles hay reunión", "miércoles", Weekday),
            ("el 22 de noviembre", "22 de noviembre", Date),
            ("pasado mañana", "pasado mañana", Date),
            ("ayer", "ayer", Date),
            ("el domingo descansas", "domingo", Weekday),
            ("en marzo", "marzo", Date),
            ("el veintiuno de diciembre", "veintiuno de diciembre", Date),
        ],
    );
}
