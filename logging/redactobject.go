package logging

import "reflect"

// An object is a map or a struct in its plain form, while its members are added.
// The value of a pair such as {"name": "password", "value": "x"} is a secret, and so
// is that of a cookie.
type object struct {
	members map[string]any
	name    string   // of which the object has a value
	values  []string // the keys of the values
	raw     string   // the key of what has all of a cookie
	cookie  bool
}

func newObject() *object { return &object{members: make(map[string]any)} }

// add adds a member whose key has the class.
func (o *object) add(key string, class nameClass, plain any) {
	o.members[key] = plain
	switch text, isText := plain.(string); {
	case class&valueOf != 0:
		o.values = append(o.values, key)
	case class&namesAnother != 0 && isText && (o.name == "" || key < o.name):
		o.name = text
	case class&cookieOnly != 0:
		o.cookie = true
	case class&rawCookie != 0 && isText && text != "":
		o.raw = key
	}
}

// redact returns the members without the secret of a pair or a cookie.
func (o *object) redact(n names) map[string]any {
	if len(o.values) == 0 {
		return o.members
	}
	class := n.classify(o.name)
	if class&(secretName|ownName|shortName) == 0 && !o.cookie {
		return o.members
	}
	for _, key := range o.values {
		if v := reflect.ValueOf(o.members[key]); mayBeSecret(v, class) {
			o.members[key] = redacted
		}
	}
	if o.cookie && o.raw != "" {
		o.members[o.raw] = redacted
	}
	return o.members
}
