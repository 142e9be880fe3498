namespace EgressAppliance.Host.Http;

/// <summary>The boxes of a site, as far as this one knows of them.</summary>
/// <param name="Site">Name of the site.</param>
/// <param name="Box">Name of this box; empty where the role is <c>all</c>.</param>
/// <param name="Role"><c>all</c>, <c>collector</c> or <c>controller</c>.</param>
/// <param name="Leads">This box decides.</param>
/// <param name="Leader">The controller that leads; empty: none, or not known here.</param>
/// <param name="Token">Number of the leadership; 0 where there is none.</param>
/// <param name="Controllers">All controllers that said something within a day; of a controller only.</param>
/// <param name="Collectors">The collectors of the configuration; of a controller only.</param>
/// <param name="Broker">The connection to the brokers, or null.</param>
/// <param name="Database">The connection to the controllers' database, or null.</param>
public sealed record ClusterDto(
    string Site, string Box, string Role, bool Leads, string Leader, long Token, IReadOnlyList<ControllerDto> Controllers, IReadOnlyList<CollectorDto> Collectors, BrokerDto? Broker,
    SiteDatabaseDto? Database);

/// <summary>A controller.</summary>
/// <param name="Box">Its name.</param>
/// <param name="Leads">It has the lease.</param>
/// <param name="Ready">It could decide well.</param>
/// <param name="Problem">What keeps it from that; empty: nothing.</param>
/// <param name="SeenSecondsAgo">How long ago it said so.</param>
public sealed record ControllerDto(string Box, bool Leads, bool Ready, string Problem, double SeenSecondsAgo);

/// <summary>A collector. Numbers are since this box listens, or since the collector's start where they are its own.</summary>
/// <param name="Box">Its name.</param>
/// <param name="State"><c>counted</c>; <c>redundant</c>: another stands in for it; <c>missing</c>: nothing came for the latest tick.</param>
/// <param name="Mirror">Name of the mirror that it has in common with others; empty: none.</param>
/// <param name="LastTick">End of its latest tick, or null.</param>
/// <param name="LatenessSeconds">Time from that to its arrival, by the clocks of the two boxes.</param>
/// <param name="BitsPerSecond">IP bits a second in that tick.</param>
/// <param name="Cells">Prefixes by links with traffic in it.</param>
/// <param name="Deltas">Ticks that came.</param>
/// <param name="Lost">Ticks that never came, by the sequence numbers.</param>
/// <param name="Duplicates">Ticks that came more than once.</param>
/// <param name="Refused">Ticks that were not taken for another reason.</param>
/// <param name="Gaps">Ticks without anything from it.</param>
/// <param name="Restarts">Restarts of its program.</param>
/// <param name="Version">Its version.</param>
/// <param name="TableComplete">Its routing table is complete.</param>
/// <param name="Frames">Frames that its mirrors delivered.</param>
/// <param name="DroppedFrames">Frames that its kernel dropped, or that were given up for want of a batch.</param>
/// <param name="LossRatio">Share of frames lost of late, 0–1.</param>
/// <param name="DeltasDropped">Ticks that it gave up while no broker took them.</param>
/// <param name="Problems">What it says is wrong.</param>
public sealed record CollectorDto(
    string Box, string State, string Mirror, DateTimeOffset? LastTick, double LatenessSeconds, long BitsPerSecond, int Cells, long Deltas, long Lost, long Duplicates, long Refused, long Gaps,
    long Restarts, string Version, bool TableComplete, long Frames, long DroppedFrames, double LossRatio, long DeltasDropped, IReadOnlyList<string> Problems);

/// <summary>The connection to the brokers. Numbers are since start.</summary>
/// <param name="ConnectedTo">The broker; null: none.</param>
/// <param name="Problem">What is wrong, in words; null: nothing.</param>
/// <param name="Connections">Connections made.</param>
/// <param name="Messages">Ticks that a broker has taken (collector), or that came (controller).</param>
/// <param name="Bytes">Their octets.</param>
/// <param name="Repeated">Ticks sent once more, or delivered again.</param>
/// <param name="Returned">Ticks that no controller has a queue for.</param>
/// <param name="Unconfirmed">Ticks sent on although the broker did not confirm them, since some controller's queue does not answer.</param>
/// <param name="Dropped">Ticks given up because too many waited.</param>
/// <param name="Waiting">Ticks that wait.</param>
/// <param name="WaitingBytes">Their octets.</param>
/// <param name="Unreadable">Messages that could not be read, by fault.</param>
public sealed record BrokerDto(
    string? ConnectedTo, string? Problem, long Connections, long Messages, long Bytes, long Repeated, long Returned, long Unconfirmed, long Dropped, int Waiting, long WaitingBytes,
    IReadOnlyDictionary<string, long> Unreadable);

/// <summary>The connection to the controllers' database.</summary>
/// <param name="Problem">Why it cannot be asked, in words; null: it can.</param>
/// <param name="NotSaved">Why the state of this leader is not saved; null: it is, or there is none.</param>
/// <param name="Exchanges">Exchanges about the lease since start.</param>
/// <param name="Failures">Exchanges that failed.</param>
public sealed record SiteDatabaseDto(string? Problem, string? NotSaved, long Exchanges, long Failures);
