using System.Net;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Config;

/// <summary>What the BGP keys must mean together: those of each router, and those of all.</summary>
internal sealed class BgpChecks(BoundSection root, string baseDirectory, ConfigDiagnostics diagnostics)
{
    // linux/tcp.h, TCP_MD5SIG_MAXKEYLEN.
    private const int Md5KeyMaximum = 80;

    /// <summary>Runs every check. Values of <c>password_file</c> are replaced by the secrets read.</summary>
    public void Run()
    {
        foreach (BoundSection router in root.Sections("routers"))
        {
            if (router.Section("bgp") is { } bgp)
            {
                CheckSession(router, bgp);
                CheckRoom(bgp);
            }
        }

        CheckRouterId();
    }

    private void CheckSession(BoundSection router, BoundSection bgp)
    {
        BoundValue local = bgp.Value("local_address");
        if (local.Value is IpAddr ours)
        {
            ConfigChecks.CheckUnicast(local, ours, diagnostics);
            if (router.TryGet("address", out IpAddr theirs))
            {
                if (ours == theirs)
                {
                    diagnostics.Error(local.At, $"'{local.Path}' is the router's own address", "give an address of this machine");
                }
                else if (IPAddress.IsLoopback(ours.ToIPAddress()) && !IPAddress.IsLoopback(theirs.ToIPAddress()))
                {
                    diagnostics.Error(local.At, $"'{local.Path}': {ours} is a loopback address, from which {theirs} cannot be reached", "give the address of this machine that the router has as its neighbour");
                }
                else if (ours.Family != theirs.Family)
                {
                    diagnostics.Error(local.At, $"'{local.Path}' is {local.Text} but the router's address is {theirs}", "use the same address family for both");
                }
            }
        }

        BoundValue peerAs = bgp.Value("peer_as");
        if (bgp.TryGet("local_as", out long localAs) && peerAs.Value is long peer && peer != localAs)
        {
            diagnostics.Error(peerAs.At, $"'{peerAs.Path}': {peer} is not local_as {localAs}", "only iBGP is supported: use the same AS number for both");
        }

        BoundValue hold = bgp.Value("hold_time");
        if (hold.Value is TimeSpan time && (time.Ticks % TimeSpan.TicksPerSecond != 0 || (time != TimeSpan.Zero && time < TimeSpan.FromSeconds(3))))
        {
            diagnostics.Error(hold.At, $"'{hold.Path}': {hold.Text} is not allowed", "use 0s or whole seconds from 3s on (RFC 4271 section 4.2)");
        }
        else if (hold.Value is TimeSpan and { Ticks: 0 } && ClusterChecks.RoleOf(root) != ApplianceRole.Controller)
        {
            diagnostics.Warn(
                hold.At, $"'{hold.Path}': without a hold time the router keeps our overrides if this machine dies without a word", "use 9s");
        }

        if (hold.Value is TimeSpan held && bgp.TryGet("send_hold_time", out TimeSpan sendHold) && sendHold < held)
        {
            BoundValue at = bgp.Value("send_hold_time").Given ? bgp.Value("send_hold_time") : hold;
            diagnostics.Warn(
                at.At, $"'{bgp.Path}.send_hold_time': {bgp.Value("send_hold_time").Text} is less than hold_time {hold.Text}: a router that reads slowly loses the session sooner than one that is dead",
                $"use {Units.FormatDuration(held)} or more, or a shorter hold_time");
        }

        if (bgp.TryGet("passive", out bool passive) && passive && bgp.TryGet("listen_port", out long port) && port == 0)
        {
            diagnostics.Error(
                bgp.Value("passive").At, $"'{bgp.Path}': with passive: true and listen_port: 0 no session can come up", "set a listen_port or passive: false");
        }

        foreach (BoundValue repeated in bgp.Value("families").Items.Where(i => i.Valid).GroupBy(i => i.Text).SelectMany(g => g.Skip(1)))
        {
            diagnostics.Error(repeated.At, $"'{repeated.Path}': {repeated.Text} is listed twice", "list each family once");
        }

        if (bgp.Value("password_file") is { Given: true, Valid: true } password)
        {
            password.Value = SecretFile.Read(password, baseDirectory, Md5KeyMaximum, diagnostics);
        }
    }

    /// <summary>
    /// The planner does not know of a router's limit: what is beyond it is planned in each cycle and refused in each. Announcements go before withdrawals, so that
    /// a cycle's moves need room beside the overrides in force.
    /// </summary>
    private void CheckRoom(BoundSection bgp)
    {
        if (bgp.TryGet("max_prefix_out", out long room) && root.Section("decision") is { } decision
            && decision.TryGet("max_overrides", out long overrides) && decision.TryGet("max_moves_per_cycle", out long moves) && overrides + moves > room)
        {
            BoundValue at = bgp.Value("max_prefix_out");
            diagnostics.Warn(
                at.At, $"'{at.Path}': {room} is less than decision.max_overrides {overrides} and max_moves_per_cycle {moves} together: moves beyond it are refused",
                room > moves ? $"set decision.max_overrides to {room - moves} or less" : "raise it and the router's own limit");
        }
    }

    private void CheckRouterId()
    {
        if (root.Section("bgp")?.Value("router_id") is not { Value: IpAddr id } value)
        {
            return;
        }

        foreach (BoundSection router in root.Sections("routers"))
        {
            if (router.TryGet("address", out IpAddr address) && address == id)
            {
                diagnostics.Error(
                    value.At, $"'{value.Path}': {id} is the address of {router.Value("name").Text}, which refuses a session with its own BGP identifier",
                    "give an address of this machine, or remove it");
                return;
            }
        }
    }
}
