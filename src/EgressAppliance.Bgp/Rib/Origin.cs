namespace EgressAppliance.Bgp.Rib;

/// <summary>ORIGIN (RFC 4271 section 5.1.1). Lower is preferred.</summary>
public enum Origin : byte
{
    /// <summary>Interior.</summary>
    Igp = 0,

    /// <summary>Learned by EGP.</summary>
    Egp = 1,

    /// <summary>Anything else.</summary>
    Incomplete = 2,
}
