using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.Net;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Comparison.Bgp.Feed;
using EgressAppliance.Comparison.Bgp.Peer;
using EgressAppliance.Comparison.Bgp.Receiver;
using EgressAppliance.Comparison.Running;
using EgressAppliance.Net;

namespace EgressAppliance.Comparison.Bgp;

/// <summary>The verbs about BGP.</summary>
internal static class BgpCommands
{
    private static readonly Option<int> Prefixes = new("--prefixes") { Description = "Prefixes of the table, both families; 0: all." };
    private static readonly Option<int> Seed = new("--seed") { Description = "Seed of the table's attributes and order.", DefaultValueFactory = _ => 1 };

    /// <summary>Compares speakers and writes bgp.md.</summary>
    public static Command Compare(Option<DirectoryInfo> data, Option<int> rounds, Option<DirectoryInfo> reports)
    {
        string[] all = [.. Contender.All.Select(c => c.Name)];
        Option<string[]> only = new("--only") { Description = "Who takes part.", DefaultValueFactory = _ => all, AllowMultipleArgumentsPerToken = true };
        only.AcceptOnlyFromAmong(all);
        Option<int[]> paths = new("--paths") { Description = "Paths of each prefix, one table for each number.", DefaultValueFactory = _ => [1, 3], AllowMultipleArgumentsPerToken = true };
        Option<int> flaps = new("--flaps") { Description = "How often the appliance's speaker loses its session and gets it back.", DefaultValueFactory = _ => 20 };
        Option<int> birdFlaps = new("--bird-flaps") { Description = "The same for BIRD.", DefaultValueFactory = _ => 5 };
        Option<int> withdrawals = new("--withdrawals") { Description = "Withdrawals to measure while a table loads; 0: none.", DefaultValueFactory = _ => 500 };
        Option<int> monitored = new("--monitored-peers") { Description = "Peers whose full tables a router shows the appliance by BMP; 0: none.", DefaultValueFactory = _ => 3 };
        Command command = new("compare-bgp", "Compare loading a full table with other BGP daemons (root), and write bgp.md.")
        {
            only, paths, flaps, birdFlaps, withdrawals, monitored, Prefixes,
        };
        command.SetAction(parsed =>
        {
            string load = Machine.Load();
            BgpComparisonOptions options = new()
            {
                Data = parsed.GetRequiredValue(data).FullName,
                Only = parsed.GetRequiredValue(only),
                Rounds = parsed.GetRequiredValue(rounds),
                Prefixes = parsed.GetValue(Prefixes),
                Paths = parsed.GetRequiredValue(paths),
                Flaps = parsed.GetRequiredValue(flaps),
                BirdFlaps = parsed.GetRequiredValue(birdFlaps),
                Withdrawals = parsed.GetRequiredValue(withdrawals),
                MonitoredPeers = parsed.GetRequiredValue(monitored),
            };
            BgpReport.Write(parsed.GetRequiredValue(reports).FullName, "make compare-bgp", load, BgpComparison.Run(options));
            return 0;
        });
        return command;
    }

    /// <summary>Plays a router by hand.</summary>
    public static Command Send(Option<DirectoryInfo> data)
    {
        Option<string> connect = new("--connect") { Description = "Address and port of the speaker to connect to." };
        Option<string> listen = new("--listen") { Description = "Address and port to wait for the speaker on." };
        Option<IPAddress> local = new("--from") { Description = "Address to connect from.", CustomParser = r => IPAddress.Parse(r.Tokens[0].Value), DefaultValueFactory = _ => IPAddress.Parse("127.0.0.2") };
        Option<int> paths = new("--paths") { Description = "Paths of each prefix; more than one is sent by ADD-PATH.", DefaultValueFactory = _ => 1 };
        Option<bool> ibgp = new("--ibgp") { Description = $"Be in AS {FeedOptions.ReceiverAs}, not in {FeedOptions.ExternalAs}." };
        Option<ushort> hold = new("--hold-time") { Description = "Hold time to propose, seconds.", DefaultValueFactory = _ => 90 };
        Option<int> flaps = new("--flaps") { Description = "How often to drop the session and send all again." };
        Option<double> pause = new("--pause") { Description = "Seconds to wait before and after dropping.", DefaultValueFactory = _ => 3 };
        Command command = new("bgp-send", "Open a session, send a table and keep the session until standard input ends; its lines \"withdraw PREFIX [PATH-ID]\" are obeyed.")
        {
            connect, listen, local, paths, ibgp, hold, flaps, pause, Prefixes, Seed,
        };
        command.SetAction(parsed =>
        {
            FeedOptions options = new()
            {
                Prefixes = parsed.GetValue(Prefixes),
                Paths = parsed.GetRequiredValue(paths),
                Internal = parsed.GetValue(ibgp),
                Seed = parsed.GetRequiredValue(Seed),
            };
            FeedFile feed = FeedGenerator.Ensure(parsed.GetRequiredValue(data).FullName, options);
            Console.Error.WriteLine(feed);
            PeerIdentity identity = new(options.SenderAs, IpAddr.From(parsed.GetRequiredValue(local)).IPv4Value, parsed.GetRequiredValue(hold), options.AddPath);
            TimeSpan wait = TimeSpan.FromSeconds(parsed.GetRequiredValue(pause));
            for (int flap = 0; ; flap++)
            {
                using ScriptedPeer peer = parsed.GetValue(listen) is { } endpoint
                    ? ScriptedPeer.Accept(IPEndPoint.Parse(endpoint), identity)
                    : ScriptedPeer.Connect(parsed.GetRequiredValue(local), IPEndPoint.Parse(parsed.GetRequiredValue(connect)), identity);
                TimeSpan taken = peer.SendTable(feed.Path);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"event":"sent","routes":{{feed.Routes}},"seconds":{{taken.TotalSeconds:0.000}}}"""));
                if (flap == parsed.GetValue(flaps))
                {
                    while (Console.In.ReadLine() is { } line)
                    {
                        Withdraw(peer, line.Split(' ', StringSplitOptions.RemoveEmptyEntries), options);
                    }

                    return 0;
                }

                Thread.Sleep(wait);
                peer.Dispose();
                Thread.Sleep(wait);
            }
        });
        return command;
    }

    private static void Withdraw(ScriptedPeer peer, string[] words, FeedOptions options)
    {
        if (words is not ["withdraw", var text, ..] || !IpPrefix.TryParse(text, out IpPrefix prefix))
        {
            Console.Error.WriteLine("withdraw PREFIX [PATH-ID]");
            return;
        }

        ArrayBufferWriter<byte> buffer = new();
        Nlri route = new(prefix, words.Length > 2 && uint.TryParse(words[2], out uint id) ? id : 0);
        UpdateEncoder.Withdraw(prefix.Family, [route], options.Codec, buffer);
        peer.Send(buffer.WrittenSpan);
        Console.WriteLine($$"""{"event":"withdrawn","prefix":"{{prefix}}","path_id":{{route.PathId}}}""");
    }

    /// <summary>The appliance's speaker, in a process of its own.</summary>
    public static Command Receive()
    {
        Option<string> listen = new("--listen") { Description = "Address and port to accept sessions on.", DefaultValueFactory = _ => "127.0.0.1:1790" };
        Option<string[]> peers = new("--peer") { Description = "Address of a router; may be given again.", DefaultValueFactory = _ => ["127.0.0.2"] };
        Option<bool> ibgp = new("--ibgp") { Description = "The routers are in our AS." };
        Option<int> hold = new("--hold-time") { Description = "Hold time to propose, seconds.", DefaultValueFactory = _ => 9 };
        Option<string[]> nextHops = new("--next-hop") { Description = "A next hop that overrides may have; may be given again." };
        Option<int?> monitoring = new("--bmp") { Description = "TCP port to take BMP of the routers on." };
        Command command = new("bgp-receive", "The appliance's speaker and lookup table, and nothing else; tells in JSON what a table costs.") { listen, peers, ibgp, hold, nextHops, monitoring };
        command.SetAction((parsed, _) => BgpReceiveCommand.RunAsync(new()
        {
            Listen = IPEndPoint.Parse(parsed.GetRequiredValue(listen)),
            Peers = [.. parsed.GetRequiredValue(peers).Select(IPAddress.Parse)],
            PeerAs = parsed.GetValue(ibgp) ? FeedOptions.ReceiverAs : FeedOptions.ExternalAs,
            HoldTime = parsed.GetRequiredValue(hold),
            MonitoringPort = parsed.GetValue(monitoring),
            NextHops = [.. (parsed.GetValue(nextHops) ?? []).Select(a => IpAddr.Parse(a))],
        }));
        return command;
    }
}
