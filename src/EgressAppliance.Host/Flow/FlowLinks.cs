using System.Collections.Frozen;
using EgressAppliance.Flow;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Flow;

/// <summary>By what the records of a link are known.</summary>
public enum FlowAttribution
{
    /// <summary>The output interface, whose ifIndex SNMP tells.</summary>
    Snmp,

    /// <summary>The output interface, whose ifIndex the configuration gives (<c>index:</c>).</summary>
    Configured,

    /// <summary>The BGP next hop, or else the IP next hop, since the ifIndex is not known.</summary>
    NextHop,
}

/// <summary>Why a record is not counted.</summary>
public enum FlowDiscard
{
    /// <summary>It is counted.</summary>
    None,

    /// <summary>It has no bytes.</summary>
    Empty,

    /// <summary>More bytes than any link carries in the time.</summary>
    Implausible,

    /// <summary>The exporter names no output interface, as for what it dropped or received itself, and no next hop of a link.</summary>
    NoOutput,

    /// <summary>It left by an interface that is no link's: towards customers or inside.</summary>
    OtherInterface,

    /// <summary>It left by a link that is counted from its mirror.</summary>
    Mirrored,
}

/// <summary>Finds the link of a record: by (router, output ifIndex), or by next hop while the ifIndex of a link is not known. Not thread-safe.</summary>
internal sealed class FlowLinks
{
    private readonly IReadOnlyList<LinkConfig> _links;
    private readonly FrozenSet<string> _routers;
    private readonly Dictionary<(string Router, uint Index), LinkConfig> _byIndex = [];
    private readonly Dictionary<(string Router, IpAddr NextHop), LinkConfig> _byNextHop = [];
    private readonly FlowAttribution[] _attribution;
    private readonly uint?[] _indexes;

    /// <summary>Knows only what the configuration says.</summary>
    public FlowLinks(ApplianceConfig config)
    {
        _links = config.Links;
        _routers = (config.Flow?.Exporters ?? []).Select(e => e.Router).ToFrozenSet();
        _attribution = new FlowAttribution[_links.Count];
        _indexes = new uint?[_links.Count];
        Update([]);
    }

    /// <summary>Whether flow export tells what a link carries: its router exports, and no mirror shows it.</summary>
    public static bool IsFed(ApplianceConfig config, LinkConfig link) => !link.IsMirrored && (config.Flow?.Exporters.Any(e => e.Router == link.Router) ?? false);

    /// <summary>By what the records of a link are known; null if there are none for it.</summary>
    public FlowAttribution? AttributionOf(int link) => _links[link].IsMirrored || !_routers.Contains(_links[link].Router) ? null : _attribution[link];

    /// <summary>The ifIndex of a link, or null.</summary>
    public uint? IndexOf(int link) => _indexes[link];

    /// <summary>Takes what the routers say about their interfaces.</summary>
    /// <param name="interfaces">The links' interfaces in order of configuration, or none.</param>
    public void Update(IReadOnlyList<InterfaceState> interfaces)
    {
        _byIndex.Clear();
        _byNextHop.Clear();
        for (int i = 0; i < _links.Count; i++)
        {
            LinkConfig link = _links[i];
            uint? told = i < interfaces.Count ? interfaces[i].IfIndex : null;
            _indexes[i] = told ?? InterfaceSelector.Parse(link.Interface).Index;
            _attribution[i] = told is not null ? FlowAttribution.Snmp : _indexes[i] is not null ? FlowAttribution.Configured : FlowAttribution.NextHop;
            if (_indexes[i] is { } index)
            {
                _byIndex.TryAdd((link.Router, index), link);
            }
            else
            {
                foreach (IpAddr hop in link.NextHops)
                {
                    _byNextHop.TryAdd((link.Router, hop), link);
                }
            }
        }
    }

    /// <summary>The link of a record, or why it has none.</summary>
    public FlowDiscard Find(string router, in FlowRecord record, out LinkId id)
    {
        id = LinkId.None;
        if (!_byIndex.TryGetValue((router, record.OutputInterface), out LinkConfig? link) && _byNextHop.Count > 0
            && !(!record.BgpNextHop.IsDefault && _byNextHop.TryGetValue((router, record.BgpNextHop), out link)) && !record.NextHop.IsDefault)
        {
            _byNextHop.TryGetValue((router, record.NextHop), out link);
        }

        if (link is null)
        {
            return record.OutputInterface == 0 ? FlowDiscard.NoOutput : FlowDiscard.OtherInterface;
        }

        if (link.IsMirrored)
        {
            return FlowDiscard.Mirrored;
        }

        id = link.Id;
        return FlowDiscard.None;
    }
}
