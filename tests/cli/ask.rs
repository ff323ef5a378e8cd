//! `reveille ask`

use crate::support::Folder;

const AGENDA: &str = "[[trigger]]\ntelegram = \"/agenda\"\nwords = [\"agenda\"]\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"You asked: **{{ event.text }}** ({{ event.args }})\"\n";
const REST: &str = "[[trigger]]\ntelegram = \"any\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"{{ event.user.name }} said {{ event.text }}\"\n";

fn folder() -> Folder {
    Folder::new().job("agenda", AGENDA).job("rest", REST)
}

#[test]
fn a_question_is_answered_on_the_terminal() {
    let folder = folder();
    folder.run(["ask", "¿Qué tengo en la AGENDA?"]).is(
        0,
        "You asked: **¿Qué tengo en la AGENDA?** (¿Qué tengo en la AGENDA?)\n",
        "",
    );
    folder.run(["ask", "/agenda", "for", "Ana"]).is(
        0,
        "You asked: **/agenda for Ana** (for Ana)\n",
        "",
    );
    folder.run(["ask", "hello"]).is(0, "you said hello\n", "");
    // A configured bot is not where somebody on a terminal is.
    folder.write(
        "config/reveille.toml",
        "[telegram]\ntoken.env = \"BOT\"\nowner = 1\n",
    );
    folder.run(["ask", "hello"]).is(0, "you said hello\n", "");
}

#[test]
fn whose_a_question_is_can_be_explained() {
    let folder = folder();
    folder.run(["ask", "--explain", "my agendas"]).is(
        0,
        "agenda takes it: its words `agenda`\n",
        "",
    );
    folder
        .run(["ask", "--explain", "hello"])
        .is(0, "rest takes it: nobody else claimed it\n", "");
    let explained = folder
        .run(["ask", "--explain", "--json", "/agenda now"])
        .json();
    assert_eq!(explained[0]["job"], "agenda");
    assert_eq!(explained[0]["args"], "now");
    std::fs::remove_file(folder.path("jobs/rest.toml")).expect("removed");
    folder
        .run(["ask", "hello"])
        .says(2, &["no job takes this message"]);
}

#[test]
fn a_chat_is_one_question_after_the_other() {
    let folder = folder();
    let typed = "/agenda for Ana\n\nnobody\n/status\n/why\n";
    let chat = folder.piped(&["chat"], typed);
    chat.prints(&["(for Ana)", "you said nobody", "daemon    none runs"]);
    assert!(chat.stderr.contains("error: "), "{chat}");
}
