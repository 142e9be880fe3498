using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Config;

/// <summary>What the BMP keys of the routers must mean together.</summary>
internal sealed class BmpChecks(BoundSection root, ConfigDiagnostics diagnostics)
{
    /// <summary>Runs every check.</summary>
    public void Run()
    {
        Dictionary<IpAddr, BoundValue> addresses = [];
        foreach (BoundSection router in root.Sections("routers"))
        {
            if (router.Section("bmp") is not { } bmp)
            {
                continue;
            }

            CheckDirection(router, bmp);
            BoundValue at = bmp.Value("address").Given ? bmp.Value("address") : router.Value("address");
            if (at.Value is not IpAddr address)
            {
                continue;
            }

            bool unicast = !bmp.Value("address").Given || ConfigChecks.CheckUnicast(at, address, diagnostics);
            if (unicast && !addresses.TryAdd(address, at))
            {
                diagnostics.Error(
                    at.At, $"'{bmp.Path}': another router has the address {address} for BMP, in line {addresses[address].At.Line}",
                    "give each router an address of its own: its connection is known by it");
            }

            if (bmp.Value("listen") is { Value: IPEndPoint listen } value)
            {
                CheckListen(value, listen, address);
            }
        }
    }

    private void CheckDirection(BoundSection router, BoundSection bmp)
    {
        BoundValue listen = bmp.Value("listen");
        BoundValue connect = bmp.Value("connect_port");
        if (!listen.Given && !connect.Given)
        {
            diagnostics.Error(
                router.KeyAt("bmp"), $"'{bmp.Path}' says neither where to listen nor where to connect to",
                "add listen, an address and port for the router to connect to, or connect_port");
        }
        else if (listen.Given && connect.Given)
        {
            diagnostics.Error(
                bmp.KeyAt("connect_port"), $"'{bmp.Path}' has both listen and connect_port", "keep listen if the router connects, connect_port if it waits for us");
        }
    }

    private void CheckListen(BoundValue value, IPEndPoint listen, IpAddr router)
    {
        IpAddr ours = IpAddr.From(listen.Address);
        if (ours.Family != router.Family)
        {
            diagnostics.Error(value.At, $"'{value.Path}' is {listen} but the router's address is {router}", "use the same address family for both");
        }

        foreach (BoundSection other in root.Sections("routers"))
        {
            if (other.Section("bgp") is { } bgp && bgp.TryGet("local_address", out IpAddr local) && local == ours
                && bgp.TryGet("listen_port", out long port) && port == listen.Port)
            {
                diagnostics.Error(value.At, $"'{value.Path}': BGP listens on {listen}", "use another port, such as 11019");
                break;
            }
        }
    }
}
