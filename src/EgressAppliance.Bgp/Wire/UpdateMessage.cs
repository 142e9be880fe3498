using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>
/// UPDATE (RFC 4271 section 4.3) with its multiprotocol parts (RFC 4760). A mutable container, made to be reused: a session decodes
/// every UPDATE into the same one, so that a table of a million routes costs no lists.
/// </summary>
public sealed class UpdateMessage
{
    private readonly List<BgpError> _errors = [];

    /// <summary>IPv4 prefixes of the WITHDRAWN ROUTES field.</summary>
    public List<Nlri> Withdrawn { get; } = [];

    /// <summary>IPv4 prefixes of the NLRI field.</summary>
    public List<Nlri> Announced { get; } = [];

    /// <summary>Family of MP_REACH_NLRI, or null without it.</summary>
    public AfiSafi? MpReachFamily { get; set; }

    /// <summary>Prefixes of MP_REACH_NLRI; empty for families other than IPv4 and IPv6 unicast.</summary>
    public List<Nlri> MpReach { get; } = [];

    /// <summary>Next hop of MP_REACH_NLRI; a default value for families that are not decoded.</summary>
    public NextHop MpNextHop { get; set; }

    /// <summary>Family of MP_UNREACH_NLRI, or null without it.</summary>
    public AfiSafi? MpUnreachFamily { get; set; }

    /// <summary>Prefixes of MP_UNREACH_NLRI; empty for families other than IPv4 and IPv6 unicast.</summary>
    public List<Nlri> MpUnreach { get; } = [];

    /// <summary>
    /// The attributes with the next hop of NEXT_HOP (a default value if that is absent), or null if the message has none. Those of the routes in
    /// <see cref="MpReach"/> are the same <see cref="PathAttributes.WithNextHop"/> of <see cref="MpNextHop"/>.
    /// </summary>
    public PathAttributes? Attributes { get; set; }

    /// <summary>The errors found, in order.</summary>
    public IReadOnlyList<BgpError> Errors => _errors;

    /// <summary>The strongest consequence among the errors.</summary>
    public ErrorAction Action { get; private set; }

    /// <summary>The family whose End-of-RIB marker this is (RFC 4724 section 2), or null.</summary>
    public AfiSafi? EndOfRib =>
        Withdrawn.Count > 0 || Announced.Count > 0 || MpReachFamily is not null || Attributes is not null || Action != ErrorAction.None ? null
        : MpUnreachFamily is { } family ? (family.Family is null || MpUnreach.Count > 0 ? null : family)
        : AfiSafi.IPv4Unicast;

    /// <summary>Makes it empty.</summary>
    public void Clear()
    {
        Withdrawn.Clear();
        Announced.Clear();
        MpReachFamily = null;
        MpReach.Clear();
        MpNextHop = default;
        MpUnreachFamily = null;
        MpUnreach.Clear();
        Attributes = null;
        _errors.Clear();
        Action = ErrorAction.None;
    }

    internal void Add(BgpError error)
    {
        _errors.Add(error);
        Action = error.Action > Action ? error.Action : Action;
    }
}
