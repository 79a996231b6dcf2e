package detect

// The names of the rules of [Defaults] and [Modern].
const (
	FailedAuth         = "failed_auth"
	UnauthorizedAccess = "unauthorized_access"
	DataVelocity       = "data_velocity"
	BulkOperation      = "bulk_operation"
	OffHours           = "off_hours"
	// PasswordSpraying is the rule that Modern adds to those of Defaults.
	PasswordSpraying = "password_spraying"
)
