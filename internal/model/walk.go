package model

import "math/rand/v2"

// Walk looks for bad states far from the start, where Search does not come in
// time: it goes walks times at random for as many steps as given. Equal seeds
// give equal walks. States are counted as often as they are met. The trace that
// it returns is not the shortest.
func Walk(c Config, watch Bad, seed uint64, walks, steps int) Result {
	random := rand.New(rand.NewPCG(seed, 0))
	e := expander{Config: &c}
	var r Result
	for range walks {
		state := c.start()
		var path []uint64
		for len(path) < steps {
			choices := e.expand(state)
			if len(choices) == 0 {
				break
			}
			state = choices[random.IntN(len(choices))].State
			state.Bad &= watch
			path = append(path, c.fingerprint(&state))
			if state.Bad != 0 {
				r.Bad, r.Trace = state.Bad, replay(c, watch, path)
				return r
			}
		}
		r.States += len(path)
		r.Depth = max(r.Depth, len(path))
	}
	return r
}
