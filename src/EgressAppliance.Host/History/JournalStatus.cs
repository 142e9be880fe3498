namespace EgressAppliance.Host.History;

/// <summary>How the journal is doing. Counts are since start.</summary>
/// <param name="Problem">Why it is not written, or null.</param>
/// <param name="Written">Calls written.</param>
/// <param name="Dropped">Calls that are in no file, because the disk failed or did not keep up.</param>
/// <param name="Failures">Times that writing failed.</param>
/// <param name="Bytes">Octets of all files of the folder.</param>
public sealed record JournalStatus(string? Problem, long Written, long Dropped, long Failures, long Bytes);
