using EgressAppliance.Dataplane.Pipeline;

namespace EgressAppliance.Host.Replay;

/// <summary>Which IP header of a frame is counted.</summary>
public enum HeaderMatch
{
    /// <summary>The first one: by it the router chose the link.</summary>
    Outer,

    /// <summary>The innermost one that tunnels lead to, for a mirror that is itself tunnelled (ERSPAN, VXLAN). MAC and VLAN are those of the frame around it.</summary>
    Inner,
}

/// <summary>What <c>replay</c> is to do.</summary>
public sealed record ReplayOptions
{
    /// <summary>Capture files, at least one, in any mix of pcap and pcapng.</summary>
    public required IReadOnlyList<string> PcapFiles { get; init; }

    /// <summary>Files with the prefixes to count by; none: everything is unrouted.</summary>
    public IReadOnlyList<string> RibFiles { get; init; } = [];

    /// <summary>Formats of <see cref="RibFiles"/> beside text, asked in order.</summary>
    public IReadOnlyList<RibFormat> RibFormats { get; init; } = [];

    /// <summary>One result per file, each counted on its own.</summary>
    public bool PerFile { get; init; }

    /// <summary>Counting workers; 0: one a core.</summary>
    public int Workers { get; init; }

    /// <summary>Told the part of the files that was read, 0–1, as parts of them are done. Any thread.</summary>
    public Action<double> Progress { get; init; } = _ => { };

    /// <summary>Which IP header is counted.</summary>
    public HeaderMatch Match { get; init; } = HeaderMatch.Outer;

    /// <summary>Rules that give packets their link. A file's path is the name of its source.</summary>
    public IReadOnlyList<LinkMatch> Links { get; init; } = [];

    /// <summary>Names of the links by number; index 0 is not used.</summary>
    public IReadOnlyList<string> LinkNames { get; init; } = [];
}
