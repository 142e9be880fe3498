namespace EgressAppliance.SystemTests.Network;

/// <summary>Which software the edge router runs.</summary>
internal enum EdgeSoftware
{
    /// <summary>FRR: zebra and bgpd.</summary>
    Frr,

    /// <summary>BIRD 2.</summary>
    Bird,
}

/// <summary>What may differ from lab to lab.</summary>
internal sealed record LabOptions
{
    /// <summary>The edge router's software.</summary>
    public EdgeSoftware Edge { get; init; } = EdgeSoftware.Frr;

    /// <summary>A second edge router (FRR both), joined to the first by a cable and iBGP; C is on it.</summary>
    public bool SecondEdge { get; init; }

    /// <summary>A <see cref="Network.MirrorSwitch"/> between the first router's mirror port and the appliance.</summary>
    public bool MirrorSwitch { get; init; }

    /// <summary>Speed of each provider link as SNMP tells it, bit/s. Small, so that little traffic fills it.</summary>
    public long CapacityBps { get; init; } = 10_000_000;

    /// <summary>Prefixes that the edge router (FRR) takes from the appliance at most, of each family.</summary>
    public int RouterLimit { get; init; } = 500;

    /// <summary>What the edge router's configuration says of the appliance, in its own language; null: the lab's own.</summary>
    public string? ApplianceSection { get; init; }

    /// <summary>What the providers announce.</summary>
    public IReadOnlyList<LabPrefix> Prefixes { get; init; } = LabPrefixes.All;
}
