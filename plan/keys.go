package plan

import "time"

// The keys of a plan file, one table per kind of mapping. docs/plan.md describes
// each of them, and the JSON Schema is made of them; tests compare the three.

var planSection = section[planDraft]{
	fields: append([]field[planDraft]{
		{"version", true, isVersion, "The version of the plan language: 1.", func(d *decoder, n *node, path string, p *planDraft) { d.version(n, path) }},
		{"name", true, isPlanName, "The plan's name. With a job's name it identifies the job in the ledger, for ever.", readPlanName},
		{"vars", false, isVars, "Variables of the plan and their defaults, used as ${var.NAME}.", func(*decoder, *node, string, *planDraft) {}},
	}, append(contentFields[:len(contentFields):len(contentFields)],
		field[planDraft]{"moved", false, isMoved, "Renames: the old name of a job to its new one, so that it is not created again.", func(d *decoder, n *node, path string, p *planDraft) { p.moved = n }},
		field[planDraft]{"run", false, runSection.shape, "Settings of apply; flags win over them.", func(d *decoder, n *node, path string, p *planDraft) { p.run = n }},
		field[planDraft]{"limits", false, limitsSection.shape, "Caps on what one run may do.", readLimits},
	)...),
	extensible: true,
	notes: map[string]string{
		"job":      "jobs go into the list jobs",
		"endpoint": "an endpoint is not part of a plan; it is a flag of the command",
	},
}

// includedSection is a file that another one includes.
var includedSection = section[planDraft]{
	fields: append([]field[planDraft]{
		{"version", false, isVersion, "The version of the plan language: 1.", func(d *decoder, n *node, path string, p *planDraft) { d.version(n, path) }},
		{"name", false, isPlanName, "The plan's name, which must be that of the file that includes this one.", readPlanName},
	}, append(contentFields[:len(contentFields):len(contentFields)],
		field[planDraft]{"limits", false, limitsSection.shape, "Caps on what one run may do, no looser than the plan's own.", readLimits},
	)...),
	extensible: true,
	notes: map[string]string{
		"run":   "an included file adds jobs; run belongs into the plan's own file",
		"vars":  "an included file uses variables; vars belongs into the plan's own file",
		"moved": "moved belongs into the plan's own file",
	},
}

// contentFields are what any file of a plan may say.
var contentFields = []field[planDraft]{
	{"region", false, isRegion, "The region of jobs that say none.", func(d *decoder, n *node, path string, p *planDraft) { p.region.set(d, n, path, (*decoder).region) }},
	{"include", false, isPaths, "Files with more jobs: paths or globs, relative to this file and inside the plan's folder.", func(d *decoder, n *node, path string, p *planDraft) {
		p.include, p.included = n, d.includes(n, path)
	}},
	{"profiles", false, isProfiles, "Named settings of endpoints that jobs refer to.", func(d *decoder, n *node, path string, p *planDraft) { p.profiles = n }},
	{"defaults", false, defaultsSection.shape, "What the jobs of this file have in common.", func(d *decoder, n *node, path string, p *planDraft) { p.defaults = n }},
	{"jobs", false, isJobs, "The jobs, written out.", func(d *decoder, n *node, path string, p *planDraft) { p.jobs = n }},
	{"generate", false, isGenerate, "Jobs made from a template and a matrix, a list, a range or a CSV file.", func(d *decoder, n *node, path string, p *planDraft) { p.generate = n }},
}

func readPlanName(d *decoder, n *node, path string, p *planDraft) {
	p.name.set(d, n, path, (*decoder).planName)
}

func readLimits(d *decoder, n *node, path string, p *planDraft) { p.limits = n }

var varSection = section[varDraft]{
	fields: []field[varDraft]{
		{"type", false, isWord(varKinds...), "What values are let in; without it, any text.", func(d *decoder, n *node, path string, v *varDraft) {
			v.kind.set(d, n, path, func(d *decoder, n *node, path string) (string, bool) { return oneOf(d, n, path, varKinds...) })
		}},
		{"default", false, isText, "The value unless another is given. Without it, one has to be.", func(d *decoder, n *node, path string, v *varDraft) { v.fallback = n }},
		{"description", false, isText, "For people.", func(d *decoder, n *node, path string, v *varDraft) { v.description.set(d, n, path, (*decoder).line) }},
	},
}

var profileSection = section[endpointDraft]{fields: append(endpointFields[:len(endpointFields):len(endpointFields)], endpointRegion)}

var generateSection = section[generateDraft]{
	fields: []field[generateDraft]{
		{"job", true, jobSection.shape, "The template: the keys of a job, with references such as ${row.column}.", func(d *decoder, n *node, path string, g *generateDraft) { g.job = n }},
		{"matrix", false, isMatrix, "Named lists; one job per combination, as ${matrix.NAME}.", func(d *decoder, n *node, path string, g *generateDraft) { g.matrix = n }},
		{"list", false, isItems, "One job per item, as ${item} or ${item.KEY}.", func(d *decoder, n *node, path string, g *generateDraft) { g.list = n }},
		{"range", false, rangeSection.shape, "One job per whole number, as ${item}.", func(d *decoder, n *node, path string, g *generateDraft) { g.span = n }},
		{"csv", false, isCSV, "One job per row of a CSV file, as ${row.COLUMN}.", func(d *decoder, n *node, path string, g *generateDraft) { g.csv = n }},
	},
}

var csvSection = section[csvDraft]{
	fields: []field[csvDraft]{
		{"file", true, isText, "The file, relative to this one and inside the plan's folder. Its first row names the columns.", func(d *decoder, n *node, path string, c *csvDraft) { c.file.set(d, n, path, (*decoder).line) }},
		{"where", false, isWhere, "Only rows whose columns are one of these values or match one of these globs.", func(d *decoder, n *node, path string, c *csvDraft) { c.where = n }},
	},
}

var rangeSection = section[spanDraft]{
	fields: []field[spanDraft]{
		{"from", true, isWhole(-rangeMax, rangeMax), "The first number.", func(d *decoder, n *node, path string, s *spanDraft) { s.from = d.whole(n, path, -rangeMax, rangeMax) }},
		{"to", true, isWhole(-rangeMax, rangeMax), "The last number, included.", func(d *decoder, n *node, path string, s *spanDraft) { s.to = d.whole(n, path, -rangeMax, rangeMax) }},
		{"step", false, isWhole(1, rangeMax), "From one number to the next; 1 unless given.", func(d *decoder, n *node, path string, s *spanDraft) { s.step = d.whole(n, path, 1, rangeMax) }},
		{"width", false, isWhole(1, 20), "Fill up with zeros in front to this many digits.", func(d *decoder, n *node, path string, s *spanDraft) { s.width = d.whole(n, path, 1, 20) }},
	},
}

// rangeMax bounds the numbers of a range.
const rangeMax = 1_000_000_000

var jobSection = section[jobDraft]{
	fields: append([]field[jobDraft]{
		{"name", true, isJobName, "The job's name at the service, and with the plan's name its identity.", func(d *decoder, n *node, path string, j *jobDraft) { j.name.set(d, n, path, (*decoder).jobName) }},
	}, sharedFields...),
}

// defaultsSection is a job without a name.
var defaultsSection = section[jobDraft]{
	fields: sharedFields,
	notes:  map[string]string{"name": "every job needs a name of its own"},
}

var sharedFields = []field[jobDraft]{
	{"region", true, isRegion, "The region of the job, its source and its destination.", func(d *decoder, n *node, path string, j *jobDraft) { j.region.set(d, n, path, (*decoder).region) }},
	{"source", true, sourceSection.shape, "The PolarDB cluster to read from.", func(d *decoder, n *node, path string, j *jobDraft) {
		j.source.at = n
		j.source.broken = !sourceSection.read(d, n, path, &j.source)
	}},
	{"destination", true, destinationSection.shape, "The AnalyticDB cluster to load into.", func(d *decoder, n *node, path string, j *jobDraft) {
		j.destination.at, j.destination.noRegion = n, true
		j.destination.broken = !destinationSection.read(d, n, path, &j.destination)
	}},
	{"db_list", true, isSomeObjects, "The objects to synchronise; everything is {EntireInstance: true}.", func(d *decoder, n *node, path string, j *jobDraft) { j.dbList.set(d, n, path, (*decoder).dbList) }},
	{"partition_list", false, isObjects, "The partitions to synchronise.", func(d *decoder, n *node, path string, j *jobDraft) {
		j.partitionList.set(d, n, path, (*decoder).partitionList)
	}},
	{"target_table_mode", false, isText, "TargetTableMode of the API, which documents no values.", func(d *decoder, n *node, path string, j *jobDraft) {
		j.targetTableMode.set(d, n, path, (*decoder).line)
	}},
	{"labels", false, isLabels, "For people and selectors; the service never sees them.", func(d *decoder, n *node, path string, j *jobDraft) {
		j.labelsAt, j.labels = n, d.labels(n, path)
	}},
	{"adopt", false, isAdopt, "Take over a job of this name that exists: true, or the id of the one to take.", func(d *decoder, n *node, path string, j *jobDraft) { j.adopt.set(d, n, path, (*decoder).adopt) }},
	{"state", false, isOneOf(string(Running), string(Suspended)), "What the job should be doing.", func(d *decoder, n *node, path string, j *jobDraft) {
		j.state.set(d, n, path, enum(Running, Suspended))
	}},
	{"on_remove", false, isOneOf(string(OnRemoveKeep), string(OnRemoveSuspend), string(OnRemoveDelete)), "What becomes of the job when it leaves the plan.", func(d *decoder, n *node, path string, j *jobDraft) {
		j.onRemove.set(d, n, path, enum(OnRemoveKeep, OnRemoveSuspend, OnRemoveDelete))
	}},
	{"protect", false, isBoolean, "Refuse whatever would replace or delete the job, flags or not.", func(d *decoder, n *node, path string, j *jobDraft) { j.protect.set(d, n, path, (*decoder).boolean) }},
	{"ignore", false, isListOf(ignorable...), "Fields whose differences are not acted on.", func(d *decoder, n *node, path string, j *jobDraft) { j.ignore.set(d, n, path, (*decoder).fields) }},
}

// endpointFields are those of both ends of a job.
var endpointFields = []field[endpointDraft]{
	{"instance", true, isInstance, "The id of the cluster.", func(d *decoder, n *node, path string, e *endpointDraft) {
		e.instance.set(d, n, path, (*decoder).instance)
	}},
	{"user", false, isText, "The account of the database.", func(d *decoder, n *node, path string, e *endpointDraft) { e.user.set(d, n, path, (*decoder).line) }},
	{"password", false, passwordSection.shape, "Where to find the password; never the password itself.", func(d *decoder, n *node, path string, e *endpointDraft) {
		e.password.set(d, n, path, (*decoder).password)
	}},
	{"password_version", false, isText, "Changes when the password does.", func(d *decoder, n *node, path string, e *endpointDraft) {
		e.passwordVersion.set(d, n, path, (*decoder).line)
	}},
}

var (
	endpointProfile = field[endpointDraft]{"profile", false, isText, "The profile that fills in what is not said here.", func(d *decoder, n *node, path string, e *endpointDraft) {
		e.profile.set(d, n, path, (*decoder).line)
	}}
	endpointRegion = field[endpointDraft]{"region", false, isRegion, "Where the source is, when that is not the job's region; the API documents one region for both.", func(d *decoder, n *node, path string, e *endpointDraft) {
		e.region.set(d, n, path, (*decoder).region)
	}}
)

var sourceSection = section[endpointDraft]{fields: append([]field[endpointDraft]{endpointProfile, endpointRegion}, endpointFields...)}

var destinationSection = section[endpointDraft]{
	fields: append([]field[endpointDraft]{endpointProfile}, endpointFields...),
	notes:  map[string]string{"region": "source and destination are in the region of the job; only the source can name one of its own"},
}

var passwordSection = section[passwordDraft]{
	fields: []field[passwordDraft]{
		{"env", false, isEnvName, "The name of an environment variable.", func(d *decoder, n *node, path string, p *passwordDraft) { p.env.set(d, n, path, (*decoder).envName) }},
		{"file", false, isText, "A file that only you can read, relative to this one.", func(d *decoder, n *node, path string, p *passwordDraft) {
			p.file.set(d, n, path, (*decoder).secretFile)
		}},
		{"command", false, isTexts, "A program that prints the password, and its arguments; no shell.", func(d *decoder, n *node, path string, p *passwordDraft) {
			p.command.set(d, n, path, (*decoder).command)
		}},
		{"kms", false, kmsSection.shape, "A secret that the Key Management Service (KMS) keeps.", func(d *decoder, n *node, path string, p *passwordDraft) { p.kms.set(d, n, path, (*decoder).kms) }},
	},
	secret: true,
}

var kmsSection = section[kmsDraft]{
	fields: []field[kmsDraft]{
		{"secret", true, isText, "The name of the secret (SecretName).", func(d *decoder, n *node, path string, k *kmsDraft) { k.secret.set(d, n, path, (*decoder).line) }},
		{"region", false, isRegion, "Where it is kept, when that is not the job's region.", func(d *decoder, n *node, path string, k *kmsDraft) { k.region.set(d, n, path, (*decoder).region) }},
		{"version_stage", false, isText, "The stage of its version (VersionStage), ACSCurrent unless given.", func(d *decoder, n *node, path string, k *kmsDraft) {
			k.versionStage.set(d, n, path, (*decoder).line)
		}},
		{"field", false, isText, "The key whose value is the password, where the secret is a JSON object.", func(d *decoder, n *node, path string, k *kmsDraft) { k.field.set(d, n, path, (*decoder).line) }},
	},
}

var runSection = section[RunSettings]{
	fields: []field[RunSettings]{
		{"parallel", false, isWhole(1, 256), "Create requests in flight at once.", func(d *decoder, n *node, path string, r *RunSettings) { r.Parallel = d.whole(n, path, 1, 256) }},
		{"rate", false, isNumber(0, rateMax), "Most calls per second, for each operation and region; 0 means no ceiling.", func(d *decoder, n *node, path string, r *RunSettings) { r.Rate = d.number(n, path, 0, rateMax) }},
		{"settle", false, isDuration, "The time after which absence from complete listings proves that an unanswered create did not happen.", func(d *decoder, n *node, path string, r *RunSettings) {
			r.Settle = d.duration(n, path, time.Millisecond, 7*24*time.Hour)
		}},
		{"max_attempts", false, isWhole(1, 1000), "Most create requests for one job in one run.", func(d *decoder, n *node, path string, r *RunSettings) { r.MaxAttempts = d.whole(n, path, 1, 1000) }},
		{"max_elapsed", false, isDuration, "Most time for one job in one run, waiting included; a create without an answer is looked for at least 15s.", func(d *decoder, n *node, path string, r *RunSettings) {
			r.MaxElapsed = d.duration(n, path, time.Millisecond, 30*24*time.Hour)
		}},
		{"on_unknown", false, isOneOf(string(Recreate), string(Hold)), "What follows once an unanswered create is proven absent.", func(d *decoder, n *node, path string, r *RunSettings) {
			r.OnUnknown = word(d, n, path, Recreate, Hold)
		}},
		{"wave", false, isWaves, "Change so many jobs, then so many more, and the rest only when these are well.", func(d *decoder, n *node, path string, r *RunSettings) { r.Wave = d.waves(n, path) }},
		{"wait", false, isOneOf(string(WaitRunning), string(WaitCreated)), "When a wave is over: its jobs run, or the service has taken each change.", func(d *decoder, n *node, path string, r *RunSettings) {
			r.Wait = word(d, n, path, WaitRunning, WaitCreated)
		}},
		{"wait_timeout", false, isDuration, "Most time without any news in which a run waits for jobs to run.", func(d *decoder, n *node, path string, r *RunSettings) {
			r.WaitTimeout = d.duration(n, path, time.Second, 30*24*time.Hour)
		}},
		{"max_failures", false, isLimit, "The run stops when more jobs of the waves so far failed, or do not run; limits.max_failures counts those of the whole run that could not be changed.", func(d *decoder, n *node, path string, r *RunSettings) {
			r.WaveFailures = d.limit(n, path)
		}},
		{"per_source", false, isWhole(1, perInstanceMax), "Most jobs of one source instance that may be initialising at once.", func(d *decoder, n *node, path string, r *RunSettings) {
			r.PerSource = d.whole(n, path, 1, perInstanceMax)
		}},
		{"per_destination", false, isWhole(1, perInstanceMax), "Most jobs of one destination instance that may be initialising at once.", func(d *decoder, n *node, path string, r *RunSettings) {
			r.PerDestination = d.whole(n, path, 1, perInstanceMax)
		}},
	},
	notes: map[string]string{
		"wave_failures": "max_failures is its name",
		"canary":        "wave: [1, rest] changes one job first",
	},
}

// perInstanceMax is the most that per_source and per_destination can say.
const perInstanceMax = 10_000

var limitsSection = section[Limits]{
	fields: []field[Limits]{
		{"max_create", false, isLimit, "A run that would create more is refused before it starts.", func(d *decoder, n *node, path string, l *Limits) { l.MaxCreate = d.limit(n, path) }},
		{"max_update", false, isLimit, "A run that would change more in place is refused before it starts.", func(d *decoder, n *node, path string, l *Limits) { l.MaxUpdate = d.limit(n, path) }},
		{"max_replace", false, isLimit, "A run that would delete and create more again is refused before it starts.", func(d *decoder, n *node, path string, l *Limits) { l.MaxReplace = d.limit(n, path) }},
		{"max_delete", false, isLimit, "A run that would delete more is refused before it starts.", func(d *decoder, n *node, path string, l *Limits) { l.MaxDelete = d.limit(n, path) }},
		{"max_removed", false, isLimit, "A run is refused when more of the jobs that exist left the plan.", func(d *decoder, n *node, path string, l *Limits) { l.MaxRemoved = d.limit(n, path) }},
		{"max_failures", false, isLimit, "A run stops after more failed jobs than this.", func(d *decoder, n *node, path string, l *Limits) { l.MaxFailures = d.limit(n, path) }},
		{"service_per_source", false, isNumberOrNone, "Warn when a source instance would have more jobs; the service documents 3.", func(d *decoder, n *node, path string, l *Limits) {
			l.ServicePerSource = d.numberOrNone(n, path)
		}},
		{"service_per_region", false, isNumberOrNone, "Warn when a region would have more jobs; the service documents 30.", func(d *decoder, n *node, path string, l *Limits) {
			l.ServicePerRegion = d.numberOrNone(n, path)
		}},
	},
}

// rateMax is the most calls per second that run.rate, like --rate, can say.
const rateMax = 1_000_000

// limitMax is the most that a limit can say; beyond it, leave the key out.
const limitMax = 1_000_000

// keyTable is one section as the documentation test and the hints see it.
type keyTable struct {
	path  string // as in docs/plan.md; "" for the top level
	names []string
}

// includedPath is the path of files that another one includes.
const includedPath = "Included files"

// keyTables lists every section in the order of the documentation.
func keyTables() []keyTable {
	return []keyTable{
		{"", planSection.names()},
		{"vars", varSection.names()},
		{"profiles", profileSection.names()},
		{"jobs[]", jobSection.names()},
		{"defaults", defaultsSection.names()},
		{"source", sourceSection.names()},
		{"destination", destinationSection.names()},
		{"password", passwordSection.names()},
		{"kms", kmsSection.names()},
		{"generate[]", generateSection.names()},
		{"range", rangeSection.names()},
		{"csv", csvSection.names()},
		{"run", runSection.names()},
		{"limits", limitsSection.names()},
		{includedPath, includedSection.names()},
	}
}
