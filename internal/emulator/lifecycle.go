package emulator

// startJob is StartApsJob. Code and ErrCode are numbers in the documented sample.
func startJob(s *Server, c *call) (fields, *problem) {
	id := c.params["ApsJobId"]
	p := s.state.change(c.place, id, func(old *job) (*job, *problem) {
		switch running := old.started() && !old.suspended() && !old.failed(c.now, s.life()); {
		case running && s.opts.RepeatAllowed:
			return old, nil
		case running:
			return nil, wrongState("started: it is running already")
		}
		return old.resume(c.now, s.life()), nil
	})
	if p != nil {
		return nil, p
	}
	return fields{
		"ApsJobId": id, "HttpStatusCode": 200, "Success": true,
		"Code": 200, "Message": "OK", "ErrCode": 0, "ErrMessage": "OK",
	}, nil
}

// suspendJob is SuspendApsJob, which has neither Code nor Message.
func suspendJob(s *Server, c *call) (fields, *problem) {
	id := c.params["ApsJobId"]
	p := s.state.change(c.place, id, func(old *job) (*job, *problem) {
		switch {
		case old.suspended() && s.opts.RepeatAllowed:
			return old, nil
		case old.suspended():
			return nil, wrongState("suspended: it is suspended already")
		case !old.started():
			return nil, wrongState("suspended: it was never started")
		}
		return old.suspend(c.now), nil
	})
	if p != nil {
		return nil, p
	}
	return fields{
		"ApsJobId": id, "HttpStatusCode": 200, "Success": true,
		"ErrCode": "Success", "ErrMessage": "OK",
	}, nil
}

// deleteJob is DeleteApsJob. Code is a number in the documented sample,
// ErrCode is not.
func deleteJob(s *Server, c *call) (fields, *problem) {
	id := c.params["ApsJobId"]
	p := s.state.change(c.place, id, func(old *job) (*job, *problem) {
		if s.opts.DeleteNeedsSuspended && old.started() && !old.suspended() {
			return nil, wrongState("deleted while it is not suspended")
		}
		return nil, nil
	})
	if p != nil {
		return nil, p
	}
	return fields{
		"ApsJobId": id, "HttpStatusCode": 200, "Success": true,
		"Code": 200, "Message": "OK", "ErrCode": "Success", "ErrMessage": "OK",
	}, nil
}
