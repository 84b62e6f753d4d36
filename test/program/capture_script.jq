# From a capture's runtime.json to the script with which fake-cri answers as that runtime did.
{notready: 1, ready: 0} as $pod_states | {created: 0, running: 1, exited: 2, unknown: 3} as $states
| def by_id(f): map({key: .id, value: f}) | from_entries;
{
	api: ["v1"],
	replies: {
		Version: {runtime_name: .name, runtime_version: .version},
		Status: {status: {}},
		ListPodSandbox: {items: [.pods[] | {id, state: $pod_states[.state], metadata: {name, namespace, uid}}]},
		ListContainers: {containers: [.containers[] | {id, pod_sandbox_id: .sandbox_id, state: $states[.state], metadata: {name}, image: {image}}]},
		PodSandboxStatus: (.pods | by_id({status: {id, state: $pod_states[.state]}, info: {info: ({pid} | tostring)}})),
		ContainerStatus: (.containers | by_id({status: {id, state: $states[.state], metadata: {name}, image: {image}},
			info: {info: ({pid, runtimeSpec: {linux: {cgroupsPath: .cgroups_path}}} | tostring)}}))
	}
}
