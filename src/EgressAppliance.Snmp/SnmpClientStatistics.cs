namespace EgressAppliance.Snmp;

/// <summary>What a client sent and received since it was made.</summary>
/// <param name="Requests">Requests, retries not counted.</param>
/// <param name="Retries">Tries after the first.</param>
/// <param name="Answers">Answers used.</param>
/// <param name="Timeouts">Requests that no try got an answer to.</param>
/// <param name="Late">Ignored: answers to earlier requests, late or sent twice.</param>
/// <param name="Foreign">Ignored: from another address, with another community, or with a request-id never sent.</param>
/// <param name="Malformed">Ignored: undecodable, another version, or no response.</param>
/// <param name="NotAuthentic">Ignored, version 3 only: digest wrong, below the request's security level, or a report that had to be authenticated and was not.</param>
public readonly record struct SnmpClientStatistics(
    long Requests, long Retries, long Answers, long Timeouts, long Late, long Foreign, long Malformed, long NotAuthentic);
