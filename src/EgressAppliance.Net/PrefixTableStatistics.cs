namespace EgressAppliance.Net;

/// <summary>The size of a <see cref="PrefixTable"/>.</summary>
public sealed record PrefixTableStatistics
{
    /// <summary>IPv4 prefixes held.</summary>
    public int IPv4Prefixes { get; init; }

    /// <summary>IPv6 prefixes held.</summary>
    public int IPv6Prefixes { get; init; }

    /// <summary>Ids of removed prefixes that may not be given again yet.</summary>
    public int RestingIds { get; init; }

    /// <summary>Bytes of the tries' arrays.</summary>
    public long TrieBytes { get; init; }

    /// <summary>Bytes of the arrays from ids to prefixes, and of what tells which ids rest and which are free.</summary>
    public long IdBytes { get; init; }

    /// <summary>The compiled table.</summary>
    public LpmStatistics Lookup { get; init; } = new();
}
