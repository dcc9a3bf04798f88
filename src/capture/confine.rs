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
    restrict_files(writable).map_err(|error| format!("cannot close the file system: {error}"))?;
    restrict_calls().map_err(|error| format!("cannot close the system calls: {error}"))
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

/// What copying packets into a file never asks of the kernel: another program, another socket, a look into another process,
/// a changed file system or kernel. Landlock leaves most of it open, UDP among it.
///
/// A list of what is refused, not of what is allowed: what the C library and the allocator ask for changes from version to
/// version, and a capture must not die of that.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
const REFUSED_CALLS: [i64; 43] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_reboot,
    libc::SYS_swapon,
];

/// Refuses those calls (seccomp, `EPERM`) from here on, in every thread that is started later too. On a processor whose
/// calls the crate does not know the other walls have to do.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn restrict_calls() -> Result<(), Box<dyn std::error::Error>> {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

    // On x86-64 each call has a second number, of the x32 ABI, which a kernel may know too.
    const X32: i64 = 0x4000_0000;
    let Ok(processor) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(()) };
    let numbers = REFUSED_CALLS.iter().flat_map(|call| [*call, *call | X32]);
    let rules = numbers.map(|call| (call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor)?.try_into()?;
    match apply_filter(&filter) {
        // A kernel without seccomp does less, as one without Landlock.
        Err(seccompiler::Error::Prctl(error) | seccompiler::Error::Seccomp(error))
            if error.raw_os_error() == Some(libc::EINVAL) || error.raw_os_error() == Some(libc::ENOSYS) =>
        {
            Ok(())
        }
        other => Ok(other?),
    }
}

#[cfg(all(target_os = "linux", not(target_pointer_width = "64")))]
fn restrict_calls() -> Result<(), std::convert::Infallible> {
    Ok(())
}
