//! What the user prefers, whichever capture is open: a file of TOML that people can read and write too.
//!
//! Comes in: a text, a path. Goes out: choices, words on what could not be used, a file that is written whole or not at all.
//! Never: a start that fails for want of it, a key that somebody else wrote taken away, a program to be run.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, Table, Value, value};

use super::RedactionChoice;
use crate::model::{clean, clean_to};

/// The newest form that this program writes.
const VERSION: i64 = 1;
/// Bytes of a file that are read: a person writes a thousandth of that.
const MOST_BYTES: u64 = 1 << 20;
/// Files set aside that are told apart by their numbers.
const MOST_ASIDE: u32 = 100;
/// Words to hide that are taken from the file.
const MOST_WORDS: usize = 1_000;
/// Bytes of the name of a family of fonts.
const MOST_FAMILY: usize = 200;
/// Characters of a value that a message repeats.
const SHOWN: usize = 60;

/// Text sizes in percent that the window can be drawn with.
pub const TEXT_PERCENT: std::ops::RangeInclusive<u16> = 75..=200;
/// The largest limit of a live capture in MiB.
pub const MOST_LIVE_MIB: u32 = 1 << 30;

/// Which theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThemeChoice {
    /// As the desktop says.
    #[default]
    System,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

impl ThemeChoice {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::System, Self::Dark, Self::Light];

    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// How the list says times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// Time of day in UTC.
    #[default]
    Utc,
    /// Date and time in UTC.
    UtcDate,
    /// Date and time in the zone of this machine.
    Local,
    /// Seconds since the capture began, or since a row that was chosen for it.
    SinceStart,
    /// Seconds since the row shown before.
    SincePrevious,
}

impl TimeFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Utc, Self::UtcDate, Self::Local, Self::SinceStart, Self::SincePrevious];

    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Utc => "utc",
            Self::UtcDate => "utc-date",
            Self::Local => "local",
            Self::SinceStart => "since-start",
            Self::SincePrevious => "since-previous",
        }
    }
}

/// The most decimals of a second that times have.
pub const MOST_DECIMALS: u8 = 9;

/// What the user prefers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// The theme.
    pub theme: ThemeChoice,
    /// Size of text and all else in the window, in percent; within [`TEXT_PERCENT`].
    pub text_percent: u16,
    /// The family that words are set in, of those that the system has; empty for our own.
    pub font: String,
    /// The family of what stands on the wire.
    pub mono_font: String,
    /// How the list says times.
    pub time: TimeFormat,
    /// Decimals of a second there; at most [`MOST_DECIMALS`].
    pub time_decimals: u8,
    /// What new pictures, and HAR archives from the window, hide.
    pub redaction: RedactionChoice,
    /// Where live captures are kept until they are saved; `None` for the cache folder.
    pub live_folder: Option<PathBuf>,
    /// MiB at which a live capture stops that would keep everything; 0 for no such limit.
    pub live_limit_mib: u32,
    /// The folder of signature files; `None` for the one beside the preferences.
    pub signatures_folder: Option<PathBuf>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::System,
            text_percent: 100,
            font: String::new(),
            mono_font: String::new(),
            time: TimeFormat::Utc,
            time_decimals: 3,
            redaction: RedactionChoice::default(),
            live_folder: None,
            live_limit_mib: 0,
            signatures_folder: None,
        }
    }
}

/// What came of looking for the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The choices; those that could not be read are the default.
    pub preferences: Preferences,
    /// What could not be used and what became of it, for the user.
    pub messages: Vec<String>,
    /// Whether there was a file.
    pub is_there: bool,
}

/// Why preferences could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PreferencesError {
    /// There is no place for them.
    #[error("cannot keep preferences: there is no home folder")]
    Nowhere,
    /// What is there is not ours to write over, and could not be moved.
    #[error("{0}")]
    Broken(String),
    /// A path that no text can hold.
    #[error("cannot keep preferences: the path is no text in UTF-8: {0}")]
    NotText(String),
    /// The system refuses.
    #[error("cannot keep preferences: {source}: {}", clean(path.as_os_str().as_encoded_bytes()))]
    Write {
        /// What it says.
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
}

/// The folder for what the user configured: `$XDG_CONFIG_HOME/nephoscope` (by the XDG Base Directory Specification, which has
/// relative paths ignored), on macOS `~/Library/Application Support/nephoscope`, on Windows `%APPDATA%\nephoscope`.
pub fn config_folder() -> Option<PathBuf> {
    config_folder_of(|name| env::var_os(name).map(PathBuf::from))
}

fn config_folder_of(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let config = if cfg!(windows) {
        absolute("APPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))
    };
    Some(config?.join("nephoscope"))
}

/// The file in that folder.
pub fn preferences_path() -> Option<PathBuf> {
    Some(config_folder()?.join("preferences.toml"))
}

impl Preferences {
    /// Reads the file. One that is no TOML is set aside under another name, so that nothing in it is lost.
    pub fn load(path: &Path) -> Found {
        Self::found(path, |why| set_aside(path, why).unwrap_or_else(|stays| stays))
    }

    /// Reads the file and leaves it as it is, whatever it is: for what does not write it.
    pub fn look(path: &Path) -> Found {
        Self::found(path, |why| {
            format!("preferences cannot be read ({}): {}", clean_to(why.as_bytes(), 200), shown(path))
        })
    }

    fn found(path: &Path, broken: impl Fn(&str) -> String) -> Found {
        let nothing = |why: &str| Found { messages: vec![broken(why)], is_there: true, ..Found::default() };
        let text = match read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::default(),
            // What cannot be read can still be kept.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return nothing(&error.to_string());
            }
            Err(error) => {
                let messages = vec![format!("preferences are not used: {error}: {}", shown(path))];
                return Found { messages, is_there: true, ..Found::default() };
            }
        };
        match Self::read(&text) {
            Ok((preferences, messages)) => {
                let messages = messages.into_iter().map(|message| format!("{message}: {}", shown(path))).collect();
                Found { preferences, messages, is_there: true }
            }
            Err(why) => nothing(&why),
        }
    }

    /// Reads a text; gives what could not be used of it. An error where it is no TOML.
    pub fn read(text: &str) -> Result<(Self, Vec<String>), String> {
        let document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| first_line(&error.to_string()))?;
        let mut reader = Reader { document: &document, messages: Vec::new() };
        let preferences = reader.preferences();
        Ok((preferences, reader.messages))
    }

    /// Writes what differs from `before` into the file, and leaves all else in it as it stands: what another window wrote,
    /// what a later version or the user put there, comments.
    pub fn save(&self, path: &Path, before: &Self) -> Result<Vec<String>, PreferencesError> {
        let failed = |source: io::Error| PreferencesError::Write { source, path: path.to_owned() };
        let mut messages = Vec::new();
        let text = match read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                messages.push(set_aside(path, &error.to_string()).map_err(PreferencesError::Broken)?);
                String::new()
            }
            Err(error) => return Err(failed(error)),
        };
        let text = if let Some(text) = self.written(&text, before)? {
            text
        } else {
            messages.push(set_aside(path, "it is no TOML").map_err(PreferencesError::Broken)?);
            self.written("", before)?.unwrap_or_default()
        };
        let folder = path.parent().ok_or(PreferencesError::Nowhere)?;
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = tempfile::Builder::new().prefix(".preferences-").tempfile_in(folder).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(messages)
    }

    /// `text` with what differs from `before`; `None` where it is no TOML.
    fn written(&self, text: &str, before: &Self) -> Result<Option<String>, PreferencesError> {
        let Ok(mut document) = text.parse::<DocumentMut>() else { return Ok(None) };
        if text.trim().is_empty() {
            document = HEAD.parse().unwrap_or_default();
        }
        let mut put = |table: &str, key: &str, item: Value, is_new: bool| {
            if is_new {
                let table = document.entry(table).or_insert_with(|| Item::Table(Table::new()));
                // What stands there and is no table is somebody else's.
                if let Some(table) = table.as_table_like_mut() {
                    table.insert(key, value(item));
                }
            }
        };
        let path = |path: &Option<PathBuf>| -> Result<Value, PreferencesError> {
            let Some(path) = path else { return Ok("".into()) };
            let text = path.to_str().ok_or_else(|| PreferencesError::NotText(shown(path)))?;
            Ok(text.into())
        };
        put("window", "theme", self.theme.word().into(), self.theme != before.theme);
        put("window", "text_percent", i64::from(self.text_percent).into(), self.text_percent != before.text_percent);
        put("window", "font", self.font.as_str().into(), self.font != before.font);
        put("window", "mono_font", self.mono_font.as_str().into(), self.mono_font != before.mono_font);
        put("window", "time", self.time.word().into(), self.time != before.time);
        let decimals = i64::from(self.time_decimals);
        put("window", "time_decimals", decimals.into(), self.time_decimals != before.time_decimals);
        let (hide, hid) = (&self.redaction, &before.redaction);
        put("redaction", "on", hide.on.into(), hide.on != hid.on);
        put(
            "redaction",
            "private_addresses",
            hide.private_addresses.into(),
            hide.private_addresses != hid.private_addresses,
        );
        let words: Array = hide.words.iter().map(String::as_str).collect();
        put("redaction", "words", words.into(), hide.words != hid.words);
        put("live", "folder", path(&self.live_folder)?, self.live_folder != before.live_folder);
        put("live", "limit_mib", i64::from(self.live_limit_mib).into(), self.live_limit_mib != before.live_limit_mib);
        put("signatures", "folder", path(&self.signatures_folder)?, self.signatures_folder != before.signatures_folder);
        Ok(Some(document.to_string()))
    }
}

/// What a new file begins with.
const HEAD: &str = "\
# Preferences of Nephoscope. The window's Preferences (Ctrl+,) write here, and leave alone what they do not know.
# [window]      theme = \"system\", \"dark\" or \"light\"; text_percent = 75 to 200
#               font = \"a family that is installed\", mono_font = \"another\"; empty for ours
#               time = \"utc\", \"utc-date\", \"local\", \"since-start\" or \"since-previous\"; time_decimals = 0 to 9
# [redaction]   on, private_addresses = true or false; words = [\"to hide\"]
# [live]        folder = \"/where/captures/go\"; limit_mib = 0 for no limit
# [signatures]  folder = \"/where/rules/are\"
version = 1
";

struct Reader<'a> {
    document: &'a DocumentMut,
    messages: Vec<String>,
}

impl Reader<'_> {
    fn preferences(&mut self) -> Preferences {
        let none = Preferences::default();
        match self.document.get("version").map(Item::as_integer) {
            // Files by hand need none.
            None | Some(Some(VERSION)) => {}
            Some(Some(later)) if later > VERSION => {
                self.messages
                    .push(format!("preferences were written by a later version ({later}); what is known is used"));
            }
            Some(_) => self.messages.push("version is no number from 1 on".to_owned()),
        }
        let theme = self.one("window", "theme", "\"system\", \"dark\" or \"light\"", |item| {
            ThemeChoice::ALL.into_iter().find(|theme| item.as_str() == Some(theme.word()))
        });
        let text_percent = self.one("window", "text_percent", "a number from 75 to 200", |item| {
            u16::try_from(item.as_integer()?).ok().filter(|percent| TEXT_PERCENT.contains(percent))
        });
        let family = |item: &Item| item.as_str().filter(|name| name.len() <= MOST_FAMILY).map(str::to_owned);
        let font = self.one("window", "font", "the name of a family", family);
        let mono_font = self.one("window", "mono_font", "the name of a family", family);
        let formats = "\"utc\", \"utc-date\", \"local\", \"since-start\" or \"since-previous\"";
        let time = self.one("window", "time", formats, |item| {
            TimeFormat::ALL.into_iter().find(|format| item.as_str() == Some(format.word()))
        });
        let time_decimals = self.one("window", "time_decimals", "a number from 0 to 9", |item| {
            u8::try_from(item.as_integer()?).ok().filter(|decimals| *decimals <= MOST_DECIMALS)
        });
        let on = self.one("redaction", "on", "true or false", Item::as_bool);
        let private_addresses = self.one("redaction", "private_addresses", "true or false", Item::as_bool);
        let words = self.one("redaction", "words", "a list of texts, at most 1000", |item| {
            let words = item.as_array()?;
            let texts: Option<Vec<String>> = words.iter().map(|word| Some(word.as_str()?.to_owned())).collect();
            texts.filter(|texts| texts.len() <= MOST_WORDS)
        });
        let folder = |item: &Item| {
            let text = item.as_str()?;
            let path = PathBuf::from(text);
            if text.is_empty() { Some(None) } else { path.is_absolute().then_some(Some(path)) }
        };
        let live_folder = self.one("live", "folder", "an absolute path", folder);
        let live_limit_mib = self.one("live", "limit_mib", "a number of MiB", |item| {
            u32::try_from(item.as_integer()?).ok().filter(|mib| *mib <= MOST_LIVE_MIB)
        });
        let signatures_folder = self.one("signatures", "folder", "an absolute path", folder);
        Preferences {
            theme: theme.unwrap_or(none.theme),
            text_percent: text_percent.unwrap_or(none.text_percent),
            font: font.unwrap_or_default(),
            mono_font: mono_font.unwrap_or_default(),
            time: time.unwrap_or(none.time),
            time_decimals: time_decimals.unwrap_or(none.time_decimals),
            redaction: RedactionChoice {
                on: on.unwrap_or(none.redaction.on),
                private_addresses: private_addresses.unwrap_or(none.redaction.private_addresses),
                words: words.unwrap_or_default(),
            },
            live_folder: live_folder.unwrap_or_default(),
            live_limit_mib: live_limit_mib.unwrap_or(none.live_limit_mib),
            signatures_folder: signatures_folder.unwrap_or_default(),
        }
    }

    /// One value; what is there and cannot be used is said, and stays in the file.
    fn one<T>(&mut self, table: &str, key: &str, expected: &str, read: impl Fn(&Item) -> Option<T>) -> Option<T> {
        let item = self.document.get(table)?.get(key)?;
        let value = read(item);
        if value.is_none() {
            let is = item.to_string();
            let is = clean_to(is.trim().as_bytes(), SHOWN);
            self.messages.push(format!("{table}.{key} is {is} and not {expected}; the default is used"));
        }
        value
    }
}

/// The file's text; `InvalidData` where it is none, or too long.
fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than a mebibyte"));
    }
    String::from_utf8(bytes).map_err(|_bytes| io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8"))
}

/// Gives a file that cannot be used another name; says which. An error where it stays as it is.
fn set_aside(path: &Path, why: &str) -> Result<String, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let why = clean_to(why.as_bytes(), 200).into_owned();
    for n in 1..MOST_ASIDE {
        let number = if n == 1 { String::new() } else { format!("-{n}") };
        let aside = path.with_file_name(format!("{name}.broken{number}"));
        if aside.symlink_metadata().is_ok() {
            continue;
        }
        // A second name never replaces what another window put there meanwhile; not every file system has them.
        let moved = fs::hard_link(path, &aside).and_then(|()| fs::remove_file(path));
        if moved.or_else(|_no_links| fs::rename(path, &aside)).is_ok() {
            return Ok(format!("preferences cannot be read ({why}); the file is kept as {}", shown(&aside)));
        }
        break;
    }
    Err(format!("preferences cannot be read ({why}), nor set aside: {}", shown(path)))
}

fn first_line(text: &str) -> String {
    // What follows draws the place over several lines.
    text.lines().next().unwrap_or_default().to_owned()
}

fn shown(path: &Path) -> String {
    clean(path.as_os_str().as_encoded_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::{Preferences, ThemeChoice, TimeFormat, config_folder_of};
    use crate::case::RedactionChoice;

    /// What is read of a text, and how many messages there are.
    #[track_caller]
    fn check(text: &str, want: &Preferences, messages: usize) {
        let (preferences, told) = Preferences::read(text).unwrap();
        assert_eq!(&preferences, want, "{text}");
        assert_eq!(told.len(), messages, "{told:?}");
    }

    fn some() -> Preferences {
        Preferences {
            theme: ThemeChoice::Dark,
            text_percent: 125,
            font: "DejaVu Sans".to_owned(),
            mono_font: "DejaVu Sans Mono".to_owned(),
            time: TimeFormat::SinceStart,
            time_decimals: 6,
            redaction: RedactionChoice { on: false, private_addresses: true, words: vec!["Ada".to_owned()] },
            live_folder: Some(PathBuf::from("/var/tmp/live")),
            live_limit_mib: 2_048,
            signatures_folder: Some(PathBuf::from("/srv/rules")),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let none = Preferences::default();
        check("", &none, 0);
        let text = some().written("", &none).unwrap().unwrap();
        check(&text, &some(), 0);
        let text = none.written(&text, &some()).unwrap().unwrap();
        check(&text, &none, 0);
        assert!(text.starts_with("# Preferences of Nephoscope"), "{text}");
    }

    #[test]
    fn a_value_that_cannot_be_used_is_said_and_costs_no_other() {
        let dark = Preferences { theme: ThemeChoice::Dark, ..Preferences::default() };
        for bad in [
            "text_percent = 20",
            "text_percent = \"large\"",
            "time = \"noon\"",
            "time_decimals = 10",
            "[redaction]\nwords = [1]",
            "[redaction]\non = 1",
            "[live]\nfolder = \"relative\"",
            "[live]\nlimit_mib = -1",
            "[signatures]\nfolder = 3",
        ] {
            check(&format!("[window]\ntheme = \"dark\"\n{bad}"), &dark, 1);
        }
        check("version = 7\n[window]\ntheme = \"dark\"", &dark, 1);
        check("version = 0", &Preferences::default(), 1);
        check("window = 3", &Preferences::default(), 0);
        assert!(Preferences::read("[window\n").is_err());
    }

    #[test]
    fn what_others_wrote_stays() {
        let text = "# mine\nversion = 2\nlater = [1, 2] # so\n[window]\ntheme = 'dark' # at night\nshape = \"round\"\n";
        let (before, _) = Preferences::read(text).unwrap();
        let now = Preferences { text_percent: 150, ..before.clone() };
        let written = now.written(text, &before).unwrap().unwrap();
        assert_eq!(written, format!("{text}text_percent = 150\n"));
    }

    #[test]
    fn two_windows_keep_what_either_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/preferences.toml");
        let none = Preferences::default();
        Preferences { theme: ThemeChoice::Light, ..none.clone() }.save(&path, &none).unwrap();
        Preferences { text_percent: 90, ..none.clone() }.save(&path, &none).unwrap();
        let found = Preferences::load(&path);
        assert_eq!((found.preferences.theme, found.preferences.text_percent), (ThemeChoice::Light, 90));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing half-written is left");
    }

    #[test]
    fn a_broken_file_is_set_aside_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("preferences.toml");
        assert!(!Preferences::load(&path).is_there);
        for (n, broken) in [&b"[window"[..], b"\xff\xfe", b"x = "].iter().enumerate() {
            fs::write(&path, broken).unwrap();
            let found = Preferences::load(&path);
            assert_eq!(found.preferences, Preferences::default());
            let name = if n == 0 {
                "preferences.toml.broken".to_owned()
            } else {
                format!("preferences.toml.broken-{}", n + 1)
            };
            assert!(found.messages.concat().contains(&name), "{:?}", found.messages);
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), *broken);
            assert!(!path.exists());
        }
        // One that breaks while the window is open is set aside when that writes.
        fs::write(&path, "[").unwrap();
        assert_eq!(some().save(&path, &Preferences::default()).unwrap().len(), 1);
        assert_eq!(Preferences::load(&path).preferences, some());
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("nephoscope"), "").unwrap();
        let path = folder.path().join("nephoscope/preferences.toml");
        assert!(some().save(&path, &Preferences::default()).is_err());
        assert_eq!(Preferences::load(&path).preferences, Preferences::default());
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn the_folder_is_where_xdg_says() {
        #[track_caller]
        fn check(config: &str, home: &str, want: &str) {
            let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
            let folder = config_folder_of(|name| path(if name == "HOME" { home } else { config }));
            assert_eq!(folder.as_deref(), path(want).as_deref().map(Path::new), "{config} {home}");
        }
        check("/c", "/home/u", "/c/nephoscope");
        check("", "/home/u", "/home/u/.config/nephoscope");
        check("relative", "/home/u", "/home/u/.config/nephoscope");
        check("", "relative", "");
        check("", "", "");
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "\\PC{0,200}") {
            let _read = Preferences::read(&text);
        }

        #[test]
        fn any_choice_comes_back(percent in 75_u16..=200, mib in 0..=super::MOST_LIVE_MIB, on: bool,
                                 words in proptest::collection::vec("\\PC{0,20}", 0..5)) {
            let redaction = RedactionChoice { on, private_addresses: !on, words };
            let now = Preferences { text_percent: percent, live_limit_mib: mib, redaction, ..Preferences::default() };
            let text = now.written("", &Preferences::default()).unwrap().unwrap();
            prop_assert_eq!(Preferences::read(&text).unwrap(), (now, Vec::new()));
        }
    }
}
