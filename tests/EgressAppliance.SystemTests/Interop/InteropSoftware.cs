namespace EgressAppliance.SystemTests.Interop;

/// <summary>The BGP implementations that the speaker is tried against, in the order of the matrix.</summary>
public enum InteropSoftware
{
    /// <summary>FRRouting: zebra and bgpd.</summary>
    Frr,

    /// <summary>BIRD 2.</summary>
    Bird,

    /// <summary>OpenBGPD, the portable edition.</summary>
    OpenBgpd,

    /// <summary>GoBGP.</summary>
    GoBgp,

    /// <summary>ExaBGP: a speaker without a table of its own.</summary>
    ExaBgp,
}
