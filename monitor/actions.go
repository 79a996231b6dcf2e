package monitor

// The actions that the built-in rules of package detect look for. An [Event.Action]
// may be any text; docs/events.md says which others the rules recognize.
const (
	// ActionLoginSuccess is a login that succeeded, with [StatusSuccess].
	ActionLoginSuccess = "auth.login.success"
	// ActionLoginFailure is a login that failed, with [StatusFailure]. The principal
	// is the account that was tried.
	ActionLoginFailure = "auth.login.failure"

	ActionDataRead   = "data.read"
	ActionDataCreate = "data.create"
	ActionDataUpdate = "data.update"
	ActionDataDelete = "data.delete"
	// ActionDataExport and ActionDataImport move many records at once. Their number
	// is [Event.RecordCount].
	ActionDataExport = "data.export"
	ActionDataImport = "data.import"
)

// OutcomeAccessDenied is an [Event.OutcomeDescription] by which the built-in rules
// recognize that an action was refused because the principal has no right to it. The
// status is [StatusFailure], and the action is what was tried. More text may follow,
// as in "access denied: not an administrator".
const OutcomeAccessDenied = "access denied"
