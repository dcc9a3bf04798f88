//! Gives away, before the first packet is read, every right that is not needed to copy packets into a file.
//!
//! Comes in: where the output will be. Goes out: a process with the rights of the calling user at most, without capabilities,
//! that cannot win any back and can write nowhere else. Never: a thread before this, since some of it binds only the thread
//! that asks.

use std::path::Path;

/// What the process may still write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Writable<'a> {
    /// What is open already.
    Nothing,
    /// Files in a folder.
    Folder(&'a Path),
    /// A device that is there.
    Device(&'a Path),
}

/// Gives the rights away. `Err` says what could not be given away: then nothing may be captured.
#[cfg(target_os = "linux")]
pub(super) fn confine(writable: Writable<'_>) -> Result<(), String> {
    use caps::CapSet;

    // As long as this process has the rights to do it: what no program that it might start could win back.
    // Refused where it never had the right to; the sets below are what counts.
    let _refused =
        caps::all().into_iter().filter(|capability| caps::drop(None, CapSet::Bounding, *capability).is_err()).count();
    become_the_caller()?;
    for set in [CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        // Kernels before 4.3 know no ambient set. Clearing the permitted set clears the effective one too.
        let cleared = caps::clear(None, set);
        if !matches!(set, CapSet::Ambient) {
            cleared.map_err(|error| format!("cannot give up its rights: {error}"))?;
        }
    }
    for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable] {
        let left = caps::read(None, set).map_err(|error| format!("cannot see which rights are left: {error}"))?;
        if !left.is_empty() {
            return Err(format!("cannot give up its rights: {} are left", left.len()));
        }
    }
    nix::sys::prctl::set_no_new_privs().map_err(|error| format!("cannot keep new rights away: {error}"))?;
    restrict_files(writable).map_err(|error| format!("cannot close the file system: {error}"))
}

/// Gives up what capabilities the program's file was granted, for a process that starts the capturing one but captures
/// nothing itself; that one is granted them anew. Root keeps what it is. Only the calling thread: before others start.
#[cfg(target_os = "linux")]
pub fn give_up_rights() -> Result<(), String> {
    use caps::CapSet;

    if nix::unistd::geteuid().is_root() {
        return Err("running as root: start it as yourself, capturing asks for the right by itself".to_owned());
    }
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set).map_err(|error| format!("cannot give up its rights: {error}"))?;
    }
    Ok(())
}

/// Other systems have other means, which nobody has tried here yet.
#[cfg(not(target_os = "linux"))]
pub(super) fn confine(_writable: Writable<'_>) -> Result<(), String> {
    Ok(())
}

/// Where root started this for somebody, through pkexec or sudo, becomes that user. Those variables count only for root,
/// who can become anybody anyway.
#[cfg(target_os = "linux")]
fn become_the_caller() -> Result<(), String> {
    use nix::unistd::{Gid, Uid, User, geteuid, setgroups, setresgid, setresuid};

    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok());
    if !geteuid().is_root() {
        return Ok(());
    }
    let failed =
        |what: &'static str| move |error: nix::Error| format!("cannot give up the rights of root ({what}): {error}");
    // Root's own groups are rights too.
    setgroups(&[]).map_err(failed("groups"))?;
    let Some(uid) = number("PKEXEC_UID").or_else(|| number("SUDO_UID")).filter(|uid| *uid != 0).map(Uid::from_raw)
    else {
        return Ok(());
    };
    let gid = match number("SUDO_GID") {
        Some(gid) if number("PKEXEC_UID").is_none() => Gid::from_raw(gid),
        _ => match User::from_uid(uid) {
            Ok(Some(user)) => user.gid,
            _ => return Err(format!("cannot find the user who called: {uid}")),
        },
    };
    setresgid(gid, gid, gid).map_err(failed("group"))?;
    setresuid(uid, uid, uid).map_err(failed("user"))
}

/// Closes the file system, as far as this kernel can (Landlock): reading is left beneath `/sys`, where libpcap finds what
/// the interface dropped, and writing where the output will be.
#[cfg(target_os = "linux")]
fn restrict_files(writable: Writable<'_>) -> Result<(), Box<dyn std::error::Error>> {
    use landlock::{
        ABI, Access as _, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
        make_bitflags,
    };

    let everything = AccessFs::from_all(ABI::V5);
    let mut rules = Ruleset::default().handle_access(everything)?.create()?;
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    if let Ok(folder) = PathFd::new("/sys") {
        rules = rules.add_rule(PathBeneath::new(folder, read))?;
    }
    let (path, rights) = match writable {
        Writable::Nothing => (None, read),
        // What is replaced may have to be removed; nothing else can be made than plain files.
        Writable::Folder(path) => (Some(path), make_bitflags!(AccessFs::{WriteFile | Truncate | MakeReg | RemoveFile})),
        Writable::Device(path) => (Some(path), make_bitflags!(AccessFs::{WriteFile})),
    };
    // What is not there cannot be opened either, which opening will say better.
    if let Some(Ok(path)) = path.map(PathFd::new) {
        rules = rules.add_rule(PathBeneath::new(path, rights))?;
    }
    // A kernel without Landlock does less: then the rights of the user are the limit.
    let _status = rules.restrict_self()?;
    Ok(())
}
