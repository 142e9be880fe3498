namespace EgressAppliance.Net;

/// <summary>The size of an <see cref="LpmTable"/>. Bytes are of address space; of the indexes only pages that were touched take memory.</summary>
public sealed record LpmStatistics
{
    /// <summary>Bytes of the two direct indexes, which are fixed.</summary>
    public long IndexBytes { get; init; }

    /// <summary>IPv4 blocks: /24s under which longer prefixes lie.</summary>
    public long IPv4Blocks { get; init; }

    /// <summary>IPv6 tables: /20s under which longer prefixes lie.</summary>
    public long IPv6Tables { get; init; }

    /// <summary>IPv6 nodes.</summary>
    public long IPv6Nodes { get; init; }

    /// <summary>Bytes of those blocks, tables and nodes.</summary>
    public long UsedBytes { get; init; }

    /// <summary>Bytes that updates have left behind and that wait to be used again.</summary>
    public long RetiredBytes { get; init; }

    /// <summary>Bytes taken from the system for blocks, tables and nodes.</summary>
    public long ReservedBytes { get; init; }

    /// <summary>How often left-behind memory was made usable again.</summary>
    public long Reclaims { get; init; }

    /// <summary>Whether the kernel took the advice to back the indexes by huge pages; without them a batched IPv4 lookup takes a third to a half longer.</summary>
    public bool HasHugePages { get; init; }
}
