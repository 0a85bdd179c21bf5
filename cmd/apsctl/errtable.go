package main

// errorEntry says what a code means. Its texts are Markdown without links.
type errorEntry struct {
	Code errorCode `json:"code"`
	// Exit is the exit code of a command that ends with it. What became of one job
	// has that of a run with nothing worse in it.
	Exit  int    `json:"exit_code"`
	What  string `json:"what"` // a few words
	Cause string `json:"cause"`
	Next  string `json:"next"`
	// group is the section in docs/errors.md.
	group errorGroup
}

// errorGroup is a section of docs/errors.md.
type errorGroup string

const (
	groupCommand errorGroup = "Command line and files"
	groupPlan    errorGroup = "Plan"
	groupLedger  errorGroup = "Ledger"
	groupService errorGroup = "Service and credentials"
	groupProbe   errorGroup = "Probe"
	groupJob     errorGroup = "What became of a job"
	groupStop    errorGroup = "Why a run stopped early"
)

// The codes, in the order of errorTable.
const (
	codeUsage         errorCode = "E-USAGE"
	codeFile          errorCode = "E-FILE"
	codeFileWrite     errorCode = "E-FILE-WRITE"
	codeExists        errorCode = "E-FILE-EXISTS"
	codeNoFolder      errorCode = "E-NO-FOLDER"
	codeChoiceFile    errorCode = "E-CHOICE-FILE"
	codeOutput        errorCode = "E-OUTPUT"
	codeNotConfirmed  errorCode = "E-NOT-CONFIRMED"
	codeInterrupted   errorCode = "E-INTERRUPTED"
	codeEmulator      errorCode = "E-EMULATOR"
	codeEmulatorInUse errorCode = "E-EMULATOR-IN-USE"
	codeDefect        errorCode = "E-DEFECT"
	codeUnexpected    errorCode = "E-UNEXPECTED"

	codePlan        errorCode = "E-PLAN"
	codePlanChanged errorCode = "E-PLAN-CHANGED"
	codeNoSuchJob   errorCode = "E-NO-SUCH-JOB"
	codeLimit       errorCode = "E-LIMIT"
	codeShortSettle errorCode = "E-SHORT-SETTLE"
	codeSavedFile   errorCode = "E-SAVED-FILE"
	codeSavedStale  errorCode = "E-SAVED-STALE"
	codeSavedSpent  errorCode = "E-SAVED-SPENT"

	codeLocked           errorCode = "E-LOCKED"
	codeLedgerMissing    errorCode = "E-LEDGER-MISSING"
	codeLedgerForeign    errorCode = "E-LEDGER-FOREIGN"
	codeLedgerNewer      errorCode = "E-LEDGER-NEWER"
	codeLedgerOlder      errorCode = "E-LEDGER-OLDER"
	codeLedgerDamaged    errorCode = "E-LEDGER-DAMAGED"
	codeNotLedger        errorCode = "E-NOT-A-LEDGER"
	codeLedgerFileSystem errorCode = "E-LEDGER-FILE-SYSTEM"
	codeLedgerNames      errorCode = "E-LEDGER-NAMES"
	codeLedgerPermission errorCode = "E-LEDGER-PERMISSION"
	codeLedgerFull       errorCode = "E-LEDGER-FULL"
	codeLedgerIO         errorCode = "E-LEDGER-IO"
	codeLedgerBusy       errorCode = "E-LEDGER-BUSY"
	codeLedgerReplaced   errorCode = "E-LEDGER-REPLACED"
	codeLedgerSettings   errorCode = "E-LEDGER-SETTINGS"
	codeLedgerTrouble    errorCode = "E-LEDGER"
	codeSameID           errorCode = "E-SAME-ID"
	codeMovedOn          errorCode = "E-MOVED-ON"
	codeNoEntry          errorCode = "E-NO-ENTRY"
	codeNoLedgerPlan     errorCode = "E-NO-LEDGER-PLAN"
	codeNameTaken        errorCode = "E-NAME-TAKEN"
	codeUnsettled        errorCode = "E-UNSETTLED"
	codeOrder            errorCode = "E-ORDER-REFUSED"
	codeQuery            errorCode = "E-QUERY"

	codeCredentials errorCode = "E-CREDENTIALS"
	codePermission  errorCode = "E-PERMISSION"
	codeConfig      errorCode = "E-CONFIG"
	codeEndpoint    errorCode = "E-ENDPOINT"
	codeDebug       errorCode = "E-DEBUG"
	codeThrottled   errorCode = "E-THROTTLED"
	codeTemporary   errorCode = "E-TEMPORARY"
	codeRefused     errorCode = "E-REFUSED"
	codeListing     errorCode = "E-LISTING"
	codeSkew        errorCode = "E-SKEW"
	codeSecret      errorCode = "E-SECRET"
	codeDuplicates  errorCode = "E-DUPLICATES"

	codeProbeLeft    errorCode = "E-PROBE-LEFT"
	codeProbeUnknown errorCode = "E-PROBE-UNKNOWN"
	codeProbeRefused errorCode = "E-PROBE-REFUSED"
	codeProbeJournal errorCode = "E-PROBE-JOURNAL"
	codeProbeForeign errorCode = "E-PROBE-FOREIGN"

	codeJobFailed    errorCode = "E-JOB-FAILED"
	codeJobUnhealthy errorCode = "E-JOB-UNHEALTHY"
	codeJobUnknown   errorCode = "E-JOB-UNKNOWN"
	codeJobHeld      errorCode = "E-JOB-HELD"
	codeJobPerson    errorCode = "E-JOB-PERSON"
	codeJobBlocked   errorCode = "E-JOB-BLOCKED"
	codeJobDiffers   errorCode = "E-JOB-DIFFERS"
	codeJobProtected errorCode = "E-JOB-PROTECTED"
	codeJobNone      errorCode = "E-JOB-NONE"
	codeJobNotTried  errorCode = "E-JOB-NOT-TRIED"

	codeStopUnknown  errorCode = "E-STOP-UNKNOWN"
	codeStopFailures errorCode = "E-STOP-FAILURES"
	codeStopWave     errorCode = "E-STOP-WAVE"
	codeStopWait     errorCode = "E-STOP-WAIT"
	codeWaitTimeout  errorCode = "E-WAIT-TIMEOUT"
	codeStopTime     errorCode = "E-STOP-TIME"
)

// errorTable has every code once, in the order of docs/errors.md, which is made
// from it: go test ./cmd/apsctl -run TestErrorsPage -update.
var errorTable = []errorEntry{
	{codeUsage, exitInvalid, "the command line cannot be carried out",
		"A flag or argument is unknown, missing, wrong, or does not go with another one; or the command asks before it changes something and there is no terminal to ask on.",
		"Do what the message says; `--help` of the command lists its flags. Nothing was done.", groupCommand},
	{codeFile, exitFailure, "a file cannot be used",
		"A file that was named, or one that the command keeps, cannot be opened, read or made: it is missing, in a folder that may not be entered, or belongs to somebody else.",
		"Correct the path or the permissions that the message names.", groupCommand},
	{codeFileWrite, exitFailure, "a file cannot be written",
		"It is read-only, has several names, belongs to somebody else, its disk is full, or it changed meanwhile. It was left as it was.",
		"Do what the message says and run the command again.", groupCommand},
	{codeExists, exitLimit, "a file of that name exists",
		"`init`, `import --generate` and `ledger backup` never replace a file; `plan --out` replaces only a saved plan, or with `--force` any file.",
		"Name another file, or move the old one away.", groupCommand},
	{codeNoFolder, exitInvalid, "the folder of a new file does not exist",
		"Only the file is made, not the folders above it.",
		"Make the folder, or correct the path.", groupCommand},
	{codeChoiceFile, exitInvalid, "a file that chooses jobs cannot be used",
		"`--target-file` or `--ids` names a file that cannot be read, is too large, or has nothing in it. Choosing nothing is never what was meant.",
		"Write one name, selector or id a line.", groupCommand},
	{codeOutput, exitFailure, "the result could not be written",
		"Standard output is closed or its disk is full.",
		"Look at the state with `apsctl status`: what was done is in the ledger.", groupCommand},
	{codeNotConfirmed, exitFailure, "the question was not answered with yes",
		"Only the word yes goes on.",
		"Run it again and answer, or add `--yes`. Nothing was changed.", groupCommand},
	{codeInterrupted, exitInterrupted, "interrupted",
		"A signal came (Ctrl-C, a service manager, a closed terminal). What was on the wire was awaited and recorded.",
		"Run it again: it goes on where it stopped.", groupCommand},
	{codeEmulator, exitFailure, "the emulated service cannot start",
		"Its address is taken, or its state or secrets cannot be read.",
		"Do what the message says. For a new start, delete the folder `.apsctl/emulator`.", groupCommand},
	{codeEmulatorInUse, exitFailure, "the emulated service is in use",
		"Another process works with the same state file.",
		"Wait until it ends.", groupCommand},
	{codeDefect, exitFailure, "a defect in apsctl",
		"apsctl was about to do something that its own rules forbid. The ledger refused it.",
		"Report it with the whole output. What is in the ledger stays right; running again is safe.", groupCommand},
	{codeUnexpected, exitFailure, "nothing more specific fits",
		"Something failed that has no code of its own; the message says what.",
		"Do what the message says. If it says too little, report it: running again is safe.", groupCommand},

	{codePlan, exitInvalid, "the plan has mistakes",
		"Each is reported with file, line and column, with what is wrong and often what was probably meant.",
		"Correct them; `apsctl validate` checks offline, and docs/plan.md describes every key. Nothing was done.", groupPlan},
	{codePlanChanged, exitLimit, "the plan changed while a run over it began",
		"A file or variable that it is read from was changed in the moment between two looks at it.",
		"Run it again, over what the plan is now. Nothing was sent.", groupPlan},
	{codeNoSuchJob, exitInvalid, "a job was chosen that there is not",
		"A selector, `--exclude`, `--target-file` or `--show-expanded` says a name that no job has.",
		"Correct the name; the message has those that look like it. Nothing was done.", groupPlan},
	{codeLimit, exitLimit, "the run would do more than its limit",
		"A limit of the plan, of a flag, or a default one would be passed. A plan file that was cut short is a usual reason.",
		"Look at `apsctl plan`. If it is right, add the flag that the message names. Nothing was sent.", groupPlan},
	{codeShortSettle, exitInvalid, "the settle time is too short for the real service",
		"A create that was lost on the way can still take effect for a while; one sent again before that would be a duplicate.",
		"Leave `--settle` and `run.settle` out. `--allow-short-settle` takes the risk.", groupPlan},
	{codeSavedFile, exitInvalid, "a file is no saved plan that can be applied",
		"It was cut short, edited, saved by another version of apsctl or for the other service, or is something else.",
		"Make a new one with `apsctl plan --out`. Nothing was sent.", groupPlan},
	{codeSavedStale, exitLimit, "a saved plan does not fit any more",
		"The ledger changed since it was saved, the plan was applied, or the service shows something else than it says. The message names what.",
		"Look at a new one: `apsctl plan --out`. Nothing was sent.", groupPlan},
	{codeSavedSpent, exitLimit, "a saved plan was applied already",
		"It is applied once. It is spent just before the first request, also when the run ended early.",
		"`apsctl apply` with the plan files takes up what is left; or make a new one with `apsctl plan --out`.", groupPlan},

	{codeLocked, exitLocked, "another run is at work",
		"Another apsctl on this ledger is alive. The message says which, since when, and where.",
		"Wait until it ends. If its process hangs, end that: the lock goes with it. Never delete the lock file.", groupLedger},
	{codeLedgerMissing, exitLedger, "there is no ledger at that place",
		"The command reads a ledger and the path names none.",
		"Correct `--ledger` or `APSCTL_LEDGER`. A new one is made by the first `apply` or `import`.", groupLedger},
	{codeLedgerForeign, exitLedger, "the ledger belongs to another account or service",
		"A ledger is bound to one account and endpoint by its first apply; the emulator counts as its own.",
		"Use the credentials and endpoint of that account, or name another ledger.", groupLedger},
	{codeLedgerNewer, exitLedger, "the ledger was written by a newer apsctl",
		"Its schema is newer than this program knows.",
		"Use the newer apsctl.", groupLedger},
	{codeLedgerOlder, exitLedger, "the ledger was written by an older apsctl",
		"Reading commands change nothing, so they do not bring it up to date.",
		"Run `apsctl apply` or `apsctl resolve`: a command that writes migrates the ledger first.", groupLedger},
	{codeLedgerDamaged, exitLedger, "the ledger is damaged",
		"Its content is not what was written: a disk error, or something else wrote into the file.",
		"Do not delete it. Move it and its -wal and -shm files away, leave its .sent file where it is, and put the last backup in its place; without a backup, `apply --adopt` takes over what the service lists (docs/ledger.md).", groupLedger},
	{codeNotLedger, exitLedger, "the file is not a ledger",
		"The path names another file, such as a plan or the database of another program, or the first bytes are damaged.",
		"Correct `--ledger`; if the path is right, do as for E-LEDGER-DAMAGED.", groupLedger},
	{codeLedgerFileSystem, exitLedger, "the file system cannot keep a ledger",
		"It is a network or other shared file system, where locks and syncs do not hold what they promise.",
		"Name a ledger on a local disk.", groupLedger},
	{codeLedgerNames, exitLedger, "the ledger has several names",
		"It is hard-linked. The lock and the -wal file beside it go by name, so runs under two names do not see each other and would create jobs twice. A symbolic link is no second name.",
		"End all runs. Keep the name that has a -wal file beside it, and remove every other name; `find DIR -samefile LEDGER` lists them. For a copy use `apsctl ledger backup`.", groupLedger},
	{codeLedgerPermission, exitLedger, "the ledger may not be used by this user",
		"The file, one beside it (-wal, -shm, .lock) or the folder belongs to somebody else, is open to others or is on a file system that is mounted read-only, or what should be the lock file is something else.",
		"Run as its owner, or do what the message says.", groupLedger},
	{codeLedgerFull, exitLedger, "no space is left for the ledger",
		"Its disk or quota is full.",
		"Free some space and run again. Nothing is lost: what was created and could not be recorded is looked for.", groupLedger},
	{codeLedgerIO, exitLedger, "the ledger cannot be read or written",
		"The disk reports an error.",
		"Look at the kernel's log before running again; take a backup while it can be read.", groupLedger},
	{codeLedgerBusy, exitLedger, "the ledger is in use by another program",
		"A backup or a shell of SQLite keeps it locked.",
		"Let that end and run again.", groupLedger},
	{codeLedgerReplaced, exitLedger, "the ledger was deleted or replaced while in use",
		"The file at its path is another one than was opened, or there is none.",
		"Put the right one back before the next run. Where it is gone, do as for E-LEDGER-DAMAGED.", groupLedger},
	{codeLedgerSettings, exitLedger, "the ledger could not be opened safely",
		"SQLite did not take a setting that the promise rests on, such as full synchronisation.",
		"Look at the message for which; a local disk and an unmodified build have them all.", groupLedger},
	{codeLedgerTrouble, exitLedger, "the ledger could not be read or written",
		"A transaction failed for a reason that has no code of its own.",
		"`apsctl ledger verify` checks the file. Nothing more was sent after it.", groupLedger},
	{codeSameID, exitLedger, "two jobs got one id",
		"The service answered for one job with the id of another entry. No answer of such a service can be trusted, so the run stopped.",
		"Look both jobs up in the console, then correct the ledger (docs/ledger.md).", groupLedger},
	{codeMovedOn, exitFailure, "the entry changed meanwhile",
		"Another command changed the entry between reading and writing. Nothing was written.",
		"Run it again.", groupLedger},
	{codeNoEntry, exitFailure, "the ledger knows no such job",
		"The name is misspelt, of another plan, or in another ledger.",
		"`apsctl ledger list` shows what it knows.", groupLedger},
	{codeNoLedgerPlan, exitFailure, "the ledger knows no such plan",
		"A plan is named by its `name`, not by its file.",
		"Use one of the names that the message lists.", groupLedger},
	{codeNameTaken, exitLimit, "the ledger has a job of that name",
		"`ledger mv` does not replace an entry.",
		"Forget the other entry first, or choose another name. Nothing was changed.", groupLedger},
	{codeUnsettled, exitLimit, "the job is still looked for by its name",
		"A create or change of it has no answer yet.",
		"`apsctl resolve` settles it first. Nothing was changed.", groupLedger},
	{codeOrder, exitLimit, "an order by hand was refused",
		"What the ledger or the service shows speaks against `--adopt`, `--absent` or `--forget`.",
		"Read the reason; where the message says so, `--force` does it all the same.", groupLedger},
	{codeQuery, exitInvalid, "the query cannot be carried out",
		"It is not one reading SQL statement, has a mistake, or took longer than `--timeout`.",
		"Correct it; docs/ledger.md has the views and their columns.", groupLedger},

	{codeCredentials, exitDenied, "the access key, its token or the date was refused",
		"No key was found, or the service does not accept it: deleted, inactive, an expired token, a wrong secret, or a clock that is far off.",
		"`apsctl doctor` shows which key was used and where it came from. Nothing more was created.", groupService},
	{codePermission, exitDenied, "the access key is not permitted to do this",
		"RAM refuses the operation to this user or role.",
		"`apsctl doctor --policy` prints the policy that the plan needs. Nothing more was created.", groupService},
	{codeConfig, exitFailure, "the endpoint is not the service",
		"Wrong endpoint, a redirect, a certificate that is not acceptable, a proxy that wants a password, or an operation that the endpoint does not offer.",
		"Check `--endpoint` and the proxy variables; `apsctl doctor` shows address and certificate.", groupService},
	{codeEndpoint, exitInvalid, "the address of the service cannot be used",
		"It is no URL of a host, or plain http to another machine.",
		"Correct `--endpoint`, `APSCTL_ENDPOINT`, `--sts-endpoint` or `--kms-endpoint`.", groupService},
	{codeDebug, exitInvalid, "DEBUG makes the library print access keys",
		"The variable asks Alibaba's library to print requests with keys and tokens to standard output.",
		"Unset DEBUG.", groupService},
	{codeThrottled, exitFailure, "the service asks to slow down",
		"Other programs share the account's allowance, or the rate is too high; it did not get better within the retries.",
		"Run it again later, or with a lower `--rate`.", groupService},
	{codeTemporary, exitFailure, "the service or the network failed",
		"No connection, no answer in time, or a server error, also after the retries.",
		"Check network, proxy and endpoint, then run it again.", groupService},
	{codeRefused, exitFailure, "the service refused the request",
		"The service gives its own code and message.",
		"Read them; docs/aps-api.md lists what is known of the codes. The request id helps Alibaba's support.", groupService},
	{codeListing, exitFailure, "the listing of a region is not complete",
		"Pages do not add up to the service's own total, also after several scans; perhaps jobs come and go all the time. Or the service lists a job in a way that cannot be used, which the message names. Without a complete listing nothing is created.",
		"Run it again when it is quieter. Look at a job that the message names in the console: as long as it is listed like that, its region cannot be worked on.", groupService},
	{codeSkew, exitLimit, "the clocks of this machine and the service differ too much",
		"Requests carry a signed date, which proves when they can take effect no more; a wrong clock breaks the proof.",
		"Set this machine's clock (NTP). Nothing more was created.", groupService},
	{codeSecret, exitFailure, "a password cannot be read",
		"The variable, file, command or KMS secret that the plan refers to is missing, empty, open to others, or refused.",
		"Do what the message says; docs/secrets.md has the rules. `apsctl doctor --secrets` reads each once.", groupService},
	{codeDuplicates, exitFailure, "jobs exist twice",
		"The service lists several jobs of one name, source and destination; each loads the same data.",
		"Compare them in the console and delete the surplus ones there; `apsctl resolve` shows those that the ledger has.", groupService},

	{codeProbeLeft, exitUnknown, "a probe may have left throw-away jobs",
		"A job could not be deleted, a create has no answer yet, or an earlier probe was killed.",
		"Run the command that the message ends with: it deletes them by name and id. Until then they cost what any job costs.", groupProbe},
	{codeProbeUnknown, exitUnknown, "a create of a probe has no answer",
		"The request was sent, no answer came, and its job is not listed within `--wait`. Nothing more was sent.",
		"`apsctl doctor --probe --clean` later: it looks for the job and deletes it.", groupProbe},
	{codeProbeRefused, exitFailure, "a throw-away job was refused",
		"The service does not create it: a quota, an instance that does not fit, or new jobs are closed for the account.",
		"Read the service's code; try other instances. What was measured before it is in the report.", groupProbe},
	{codeProbeJournal, exitFailure, "the journal of a probe cannot be used",
		"A probe writes down what it is about to create, beside the ledger, and sends nothing otherwise.",
		"Correct the folder's permissions or free some space.", groupProbe},
	{codeProbeForeign, exitFailure, "the journal of a probe is of another account",
		"The probe that left it ran with another key, or against another service.",
		"Use that account's key and endpoint to clean up.", groupProbe},

	{codeJobFailed, exitFailed, "the job failed",
		"The service refused it, a password could not be read, or it never got through within its attempts. Nothing of it is open.",
		"Read the reason beside the name and mend that; the next `apply` tries the job again.", groupJob},
	{codeJobUnhealthy, exitFailed, "the job does not run",
		"The service took what was sent and shows the job as failed since, for example because its check of source or destination failed.",
		"Look at the job in the console; `apply` leaves it as it is. `apsctl status --refresh` shows its message.", groupJob},
	{codeJobUnknown, exitUnknown, "the outcome of a request is not known",
		"It was sent and no answer says what became of it, or the ledger does not know of it any more, since it was lost, put back or told to forget the job. It may exist.",
		"Nothing: the next `apply` looks for it, and sends it again only when it is proven absent. `apsctl resolve` looks now.", groupJob},
	{codeJobHeld, exitUnknown, "a create is proven absent and held",
		"`--on-unknown hold` or the plan leaves the decision to a person.",
		"`apsctl resolve --absent NAME --reason WHY` has the next `apply` create it.", groupJob},
	{codeJobPerson, exitUnknown, "only a person can settle the job",
		"Several jobs may be the one that was asked for, a second one appeared, or one that existed is gone.",
		"`apsctl resolve` shows each with its way out.", groupJob},
	{codeJobBlocked, exitUnknown, "the job is blocked",
		"A job of that name exists and is not known to be this one, another entry has it, a create that may be of the same job has no answer yet, it is to be deleted and is not listed yet, or another process moved it on. Nothing was sent.",
		"Read the reason beside the name. A job that waits for a create without an answer is made by a later run, once that is settled; for others mostly `apply --adopt`, another name, or running again.", groupJob},
	{codeJobDiffers, exitLimit, "the job differs in what cannot be changed in place",
		"The service changes only the objects of a job; anything else needs a delete and a create, which synchronises everything anew.",
		"`apply --allow replace`, or take the change back. Nothing was sent for it.", groupJob},
	{codeJobProtected, exitLimit, "the job is protected",
		"Its plan says `protect: true`, which wins over every flag and over what a person asks for.",
		"If it is to go, take `protect` out of the plan, `apply`, and run the command again.", groupJob},
	{codeJobNone, exitFailed, "there is no job",
		"`start` or `suspend` was told to act on an entry of the ledger whose job was deleted, or never created.",
		"`apply` creates what the plan wants; or choose other jobs.", groupJob},
	{codeJobNotTried, exitLeft, "the job was not tried",
		"The run stopped before its turn.",
		"See why the run stopped, then run `apply` again.", groupJob},

	{codeStopUnknown, exitUnknown, "too many creates are without an answer",
		"The network or the service is sick: going on would only leave more jobs unknown.",
		"Wait until it is well and run `apply` again: it looks for the unknown ones first.", groupStop},
	{codeStopFailures, exitLeft, "the failure cap was passed",
		"More jobs failed than `--max-failures` or the plan's `max_failures` allows.",
		"Mend what failed, or raise the cap, and run it again.", groupStop},
	{codeStopWave, exitLeft, "too many jobs of the waves so far failed",
		"The health gate between waves did not open.",
		"Mend what failed and run it again (docs/plan.md).", groupStop},
	{codeStopWait, exitLeft, "jobs do not run in time",
		"A wave waits until its jobs run, and the wait ended before they did.",
		"Look at them with `apsctl status --refresh`; a longer `--wait-timeout` waits longer.", groupStop},
	{codeWaitTimeout, exitLeft, "jobs are not as they were waited for",
		"The `--timeout` of `wait` passed before all of them were.",
		"The output lists them with their status. `wait` again, or look why they take so long with `apsctl status --refresh`.", groupStop},
	{codeStopTime, exitLeft, "the time for the run is over",
		"The time that `--max-runtime` gives is used up. Nothing more was taken up; what was on the wire was awaited and recorded.",
		"Run it again, or let the next run of cron do so: it goes on with what is left.", groupStop},
}
