package emulator

// modifyJob is ModifyApsJob. The newline in Code is in the documented sample.
func modifyJob(s *Server, c *call) (fields, *problem) {
	id := c.params["ApsJobId"]
	p := s.state.change(c.place, id, func(old *job) (*job, *problem) {
		if s.opts.ModifyNeedsSuspended && old.started() && !old.suspended() {
			return nil, wrongState("modified while it is not suspended")
		}
		next := *old
		next.DbList = c.params["DbList"]
		switch partitions := c.params["PartitionList"]; {
		case partitions != "":
			next.PartitionList = partitions
		case s.opts.OmittedPartitions == OmittedClear:
			next.PartitionList = "{}"
		}
		return &next, nil
	})
	if p != nil {
		return nil, p
	}
	return fields{
		"ApsJobId": id, "HttpStatusCode": 200, "Success": true,
		"Code": "InvalidInput\n", "Message": "SUCCESS", "ErrCode": "Success", "ErrMessage": "OK",
	}, nil
}

func wrongState(what string) *problem {
	return refuseBusiness("IncorrectDBInstanceState", "The APS job cannot be %s.", what)
}
