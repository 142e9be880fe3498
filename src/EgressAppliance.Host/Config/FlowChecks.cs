using System.Net;
using EgressAppliance.Host.Interfaces;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Config;

/// <summary>Checks of <c>flow</c>: addresses to listen on, exporters, and the links whose traffic they are to report.</summary>
/// <param name="root">The whole file.</param>
/// <param name="diagnostics">Takes the errors.</param>
internal sealed class FlowChecks(BoundSection root, ConfigDiagnostics diagnostics)
{
    public void Run()
    {
        if (root.Section("flow") is not { } flow)
        {
            return;
        }

        List<(BoundValue Bound, IPEndPoint EndPoint)> listen = CheckListen(flow);
        Dictionary<IpAddr, BoundValue> seen = [];
        foreach (BoundSection exporter in flow.Sections("exporters"))
        {
            CheckAddress(exporter.Value("address"), flow, listen, seen);
            CheckRouter(exporter);
        }
    }

    private List<(BoundValue Bound, IPEndPoint EndPoint)> CheckListen(BoundSection flow)
    {
        List<(BoundValue Bound, IPEndPoint EndPoint)> listen = [];
        foreach ((BoundValue bound, IPEndPoint endPoint) in flow.Items<IPEndPoint>("listen"))
        {
            IPAddress address = endPoint.Address;
            if (address.IsIPv6Multicast || (IpAddr.From(address) is { Family: IpFamily.IPv4 } own && own.IPv4Value >= 0xE000_0000))
            {
                diagnostics.Error(bound.At, $"'{bound.Path}': {address} is no address of this machine", "give one of its addresses, 0.0.0.0 or [::]");
            }

            foreach ((BoundValue other, IPEndPoint taken) in listen)
            {
                if (taken.Port == endPoint.Port && taken.AddressFamily == address.AddressFamily && (taken.Address.Equals(address) || IsAny(taken.Address) || IsAny(address)))
                {
                    diagnostics.Error(
                        bound.At, $"'{bound.Path}': port {endPoint.Port} is taken by '{other.Path}' ({taken}) in line {other.At.Line}",
                        "use another port, or one of the two: all protocols may come to one port");
                    break;
                }
            }

            listen.Add((bound, endPoint));
        }

        return listen;
    }

    private void CheckAddress(BoundValue bound, BoundSection flow, List<(BoundValue Bound, IPEndPoint EndPoint)> listen, Dictionary<IpAddr, BoundValue> seen)
    {
        if (bound.Value is not IpAddr address || !ConfigChecks.CheckUnicast(bound, address, diagnostics))
        {
            return;
        }

        if (!seen.TryAdd(address, bound))
        {
            diagnostics.Error(
                bound.At, $"'{bound.Path}': {address} is an exporter already, in line {seen[address].At.Line}", "give each exporter once");
        }

        if (flow.Value("listen").Valid && listen.Count > 0 && !listen.Exists(l => IpAddr.From(l.EndPoint.Address).Family == address.Family))
        {
            diagnostics.Error(
                bound.At, $"'{bound.Path}': nothing listens for {address}: flow.listen has no address of its family",
                address.Family == IpFamily.IPv6 ? $"add \"[::]:{listen[0].EndPoint.Port}\" to flow.listen" : $"add 0.0.0.0:{listen[0].EndPoint.Port} to flow.listen");
        }
    }

    private void CheckRouter(BoundSection exporter)
    {
        if (RouterNames.Find(root, exporter, diagnostics) is not { } router)
        {
            return;
        }

        BoundValue at = exporter.Value("router");
        string name = exporter.Get<string>("router");
        BoundSection[] fed = [.. root.Sections("links").Where(l => l.TryGet("router", out string own) && own == name && !l.IsGiven("match"))];
        if (fed.Length == 0)
        {
            diagnostics.Warn(
                at.At, $"'{at.Path}': no link of {name} is without `match`, so that its records are not used", "remove the exporter, or `match` from the links that it reports");
        }
        else if (!router.IsGiven("snmp"))
        {
            foreach (BoundSection link in fed.Where(l => l.TryGet("interface", out string text) && InterfaceSelector.Parse(text).Index is null))
            {
                diagnostics.Warn(
                    link.KeyAt("interface"), $"'{link.Path}.interface': without SNMP its ifIndex is not known, and records are told by their next hop",
                    "add snmp to the router, or write the ifIndex that the exporter uses, such as index:3");
            }
        }
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
