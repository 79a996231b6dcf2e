package core_test

import (
	"testing"

	"example.org/module/leaf"
)

func Test(t *testing.T) { t.Log(leaf.Both) }
