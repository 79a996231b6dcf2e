package monitor

import "strings"

// Fields is a set of event fields, such as the fields that a signature covers.
type Fields uint32

// The fields of an event that a signature can cover or a rule can use.
// FieldSession stands for all of [Event.Session].
const (
	FieldTimestamp Fields = 1 << iota
	FieldAction
	FieldStatus
	FieldPrincipalID
	FieldOrganizationID
	FieldTargetResourceType
	FieldTargetResourceID
	FieldOutcomeDescription
	FieldID
	FieldSession
	FieldCorrelationID
	FieldEventVersion
	FieldRetentionPolicy
	FieldDataClassification
	FieldRecordCount
	FieldDetails
)

const allFields Fields = 1<<16 - 1

var fieldNames = [...]string{
	"timestamp", "action", "status", "principalId", "organizationId",
	"targetResourceType", "targetResourceId", "outcomeDescription", "id",
	"sessionContext", "correlationId", "eventVersion", "retentionPolicy",
	"dataClassification", "recordCount", "details",
}

// Has reports whether f contains every field of other.
func (f Fields) Has(other Fields) bool { return f&other == other }

// String lists the JSON names of the fields, separated by commas.
func (f Fields) String() string {
	var names []string
	for i, name := range fieldNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}
