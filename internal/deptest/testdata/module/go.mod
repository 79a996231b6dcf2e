module example.org/module

go 1.26

require example.org/foreign v0.0.0

replace example.org/foreign => ../foreign
