package monitor

import (
	"strings"
	"unicode"
)

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

const (
	allFields Fields = 1<<16 - 1
	// fieldSignature stands for the hash and the signature themselves.
	fieldSignature Fields = 1 << 16
	// signable are the fields that canonical form v1 of package crypto covers. Their
	// bytes must stay as they are.
	signable = FieldTimestamp | FieldAction | FieldStatus | FieldPrincipalID | FieldOrganizationID |
		FieldTargetResourceType | FieldTargetResourceID | FieldOutcomeDescription
)

var fieldNames = [...]string{
	"timestamp", "action", "status", "principalId", "organizationId",
	"targetResourceType", "targetResourceId", "outcomeDescription", "id",
	"sessionContext", "correlationId", "eventVersion", "retentionPolicy",
	"dataClassification", "recordCount", "details",
}

// A textField is a field of an event that holds free text.
type textField struct {
	name  string
	field Fields
	text  *string
}

// freeTexts returns the fields of the event that hold free text.
func (e *Event) freeTexts() [19]textField {
	return [...]textField{
		{"id", FieldID, &e.ID},
		{"action", FieldAction, &e.Action},
		{"principalId", FieldPrincipalID, &e.PrincipalID},
		{"targetResourceType", FieldTargetResourceType, &e.TargetResourceType},
		{"targetResourceId", FieldTargetResourceID, &e.TargetResourceID},
		{"outcomeDescription", FieldOutcomeDescription, &e.OutcomeDescription},
		{"sessionContext.sessionId", FieldSession, &e.Session.ID},
		{"sessionContext.ipAddress", FieldSession, &e.Session.IPAddress},
		{"sessionContext.userAgent", FieldSession, &e.Session.UserAgent},
		{"sessionContext.geolocation", FieldSession, &e.Session.Geolocation},
		{"correlationId", FieldCorrelationID, &e.CorrelationID},
		{"eventVersion", FieldEventVersion, &e.EventVersion},
		{"retentionPolicy", FieldRetentionPolicy, &e.RetentionPolicy},
		{"dataClassification", FieldDataClassification, (*string)(&e.DataClassification)},
		{"hash", fieldSignature, &e.Hash},
		{"hashAlgorithm", fieldSignature, &e.HashAlgorithm},
		{"signature", fieldSignature, &e.Signature},
		{"algorithm", fieldSignature, &e.SignatureAlgorithm},
		{"keyId", fieldSignature, &e.KeyID},
	}
}

// uncoverable returns, in snake case, the names of the fields that [signable] does not have and that
// can have content that is not valid.
func uncoverable() (names []string) {
	texts := new(Event).freeTexts()
	for i := range texts {
		if f := &texts[i]; !signable.Has(f.field) {
			names = append(names, snakeCase(f.name))
		}
	}
	return append(names, snakeCase("recordCount"))
}

// snakeCase returns the name of a field as the value of a metric's attribute.
func snakeCase(name string) string {
	var b strings.Builder
	for _, c := range strings.TrimPrefix(name, "sessionContext.") {
		if unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
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
