namespace EgressAppliance.SystemTests.Interop;

/// <summary>How a row wants both sides configured. Everything not named here is the same for all rows.</summary>
internal sealed record InteropOptions
{
    /// <summary>The router announces all paths to us (RFC 7911); else the best one only.</summary>
    public bool AddPath { get; init; } = true;

    /// <summary>The TCP MD5 key that the router expects, or null.</summary>
    public string? RouterPassword { get; init; }

    /// <summary>Both sides send TTL 255 and take nothing less (RFC 5082), as far as the router can be told so.</summary>
    public bool TtlSecurity { get; init; }

    /// <summary>The router's limit on prefixes from us in each family, or null.</summary>
    public int? RouterMaxPrefix { get; init; }

    /// <summary>The router must connect, even one that had better wait.</summary>
    public bool RouterConnects { get; init; }

    /// <summary>The router waits for our connection.</summary>
    public bool RouterPassive { get; init; }

    /// <summary>The hold time that the router proposes, seconds; its keepalives come three times as often.</summary>
    public int RouterHoldTime { get; init; } = 9;

    /// <summary>The session runs over IPv6.</summary>
    public bool OverIPv6 { get; init; }

    /// <summary>Prefixes announced by both providers in each family.</summary>
    public int Prefixes { get; init; } = 4;

    /// <summary>Start without a speaker; the row makes its own.</summary>
    public bool NoSpeaker { get; init; }
}
