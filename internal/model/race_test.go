//go:build race

package model

// underRace makes the tests keep to small bounds: the detector slows the search
// down tenfold, and few states show as well as many how its workers share.
const underRace = true
