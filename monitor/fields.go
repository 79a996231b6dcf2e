package monitor

import "strings"

// Fields is a set of event fields: those that a signature covers, or those that
// a finding rests on.
type Fields uint32

// The fields of an event that can be covered by a signature or used by a rule.
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

// Has reports whether every field of other is in f.
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
