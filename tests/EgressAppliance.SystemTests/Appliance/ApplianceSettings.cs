using System.Globalization;
using EgressAppliance.SystemTests.Network;

namespace EgressAppliance.SystemTests.Appliance;

/// <summary>What tests vary in the appliance's configuration; the rest fits the lab.</summary>
internal sealed record ApplianceSettings
{
    /// <summary>Community that marks overrides.</summary>
    public const string Marker = "65000:666";

    /// <summary><c>mode</c>: <c>observe</c> or <c>inject</c>.</summary>
    public string Mode { get; init; } = "inject";

    /// <summary><c>decision.marker_community</c>.</summary>
    public string MarkerCommunity { get; init; } = Marker;

    /// <summary><c>decision.hold</c>, seconds.</summary>
    public int HoldSeconds { get; init; } = 5;

    /// <summary><c>decision.window</c>, seconds.</summary>
    public int WindowSeconds { get; init; } = 2;

    /// <summary><c>decision.min_prefix_share</c>.</summary>
    public string MinPrefixShare { get; init; } = "0.1%";

    /// <summary><c>links[].capacity</c> of A.</summary>
    public string Capacity { get; init; } = "10Mbit/s";

    /// <summary><c>links[].capacity</c> of B and C, or of <see cref="SmallProvider"/> alone.</summary>
    public string OtherCapacity { get; init; } = "10Mbit/s";

    /// <summary>The letter of the provider that <see cref="OtherCapacity"/> is for, or null for B and C; all others have <see cref="Capacity"/>.</summary>
    public char? SmallProvider { get; init; }

    /// <summary><c>routers[].snmp.poll</c>, seconds.</summary>
    public int PollSeconds { get; init; } = 5;

    /// <summary><c>links[].overhead</c>, bytes a packet.</summary>
    public int OverheadBytes { get; init; } = GroundTruth.OverheadBytes;

    /// <summary>Ask the routers by SNMP as the agent's user, not with its community.</summary>
    public bool SnmpUser { get; init; }

    /// <summary>The section <c>links</c> as it stands, in place of the lab's own; null: that.</summary>
    public string? Links { get; init; }

    /// <summary>The section <c>flow</c> as it stands, in place of capture: there is no mirror then. Null: none.</summary>
    public string? Flow { get; init; }

    /// <summary>The configuration file for a lab.</summary>
    public string ToYaml(Lab lab, string communityFile, string socket)
    {
        string links = string.Concat(lab.Providers.Select(provider => $$"""
              - name: {{provider.Link}}
                router: {{lab.Sites.Single(site => site.Providers.Contains(provider)).Name}}
                interface: {{provider.EdgeInterface}}
                next_hops: [{{provider.Ipv4}}, "{{provider.Ipv6}}"]
                {{Match(provider)}}
                capacity: {{(provider.Letter == (SmallProvider ?? provider.Letter) && provider != lab.A ? OtherCapacity : Capacity)}}
                threshold: 95%
                ceiling: 90%
                release: 85%
                overhead: {{OverheadBytes}}B

            """));
        string sources = string.Concat(lab.Sites.Select(site => $"""
                - interface: {site.MirrorInterface}
                  backend: af_packet
                  ring: 4MiB
                  block: 64KiB
                  workers: 1

            """));
        string snmp = SnmpUser
            ? $"""
                  version: 3
                  user: {SnmpAgent.User}
                  auth: sha256
                  auth_password_file: {SecretFile(lab, "auth", SnmpAgent.AuthPassword)}
                  priv: aes128
                  priv_password_file: {SecretFile(lab, "priv", SnmpAgent.PrivPassword)}
            """
            : $"""
                  version: 2c
                  community_file: {communityFile}
            """;
        string routers = string.Concat(lab.Sites.Select(site => $"""
              - name: {site.Name}
                address: {site.Address}
                bgp:
                  local_address: {site.ApplianceAddress}
                  local_as: 65000
                  peer_as: 65000
                  hold_time: 9s
                snmp:
            {snmp}
                  poll: {PollSeconds}s

            """));
        return string.Create(CultureInfo.InvariantCulture, $"""
            version: 1
            site: lab
            mode: {Mode}
            {Flow ?? "capture:\n  sources:\n" + sources}
            routers:
            {routers}
            {Links ?? "links:\n" + links}
            decision:
              cycle: 1s
              hold: {HoldSeconds}s
              lease: 5s
              window: {WindowSeconds}s
              max_share_per_cycle: 100%
              max_share: 100%
              min_prefix_share: {MinPrefixShare}
              release_window: 0s
              marker_community: "{MarkerCommunity}"
            history:
              path: {Path.Combine(Path.GetDirectoryName(socket) ?? "/", "history.db")}
            http:
              listen: 127.0.0.1:8080
              socket: {socket}
            """) + "\n";
    }

    private string Match(Provider provider) => Flow is null ? $$"""match: { mac: "{{provider.Mac}}" }""" : "# counted by flow export";

    private static string SecretFile(Lab lab, string name, string secret)
    {
        string path = Path.Combine(lab.Folder, name);
        File.WriteAllText(path, secret + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
