using EgressAppliance.Capture;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Capture.PcapFile;
using EgressAppliance.Dataplane.Decode;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;

namespace EgressAppliance.Host.Pipeline;

/// <summary>Opens what <c>capture.sources</c> names, and maps the configuration to the options of the data path.</summary>
public static class CaptureSources
{
    /// <summary>Opens every source; an interface with several workers gives several sources of one name.</summary>
    /// <exception cref="CaptureException">One cannot be opened; those opened before are closed again.</exception>
    public static IReadOnlyList<IPacketSource> Open(CaptureConfig config)
    {
        List<IPacketSource> opened = [];
        try
        {
            foreach (CaptureSourceConfig source in config.Sources)
            {
                switch (source.Backend)
                {
                    case CaptureBackend.AfPacket:
                        opened.AddRange(AfPacketSource.Open(ToOptions(source)));
                        break;
                    case CaptureBackend.PcapFile:
                        opened.Add(PcapFileSource.Open(source.File));
                        break;
                    default:
                        opened.Add(SharpPcapBackend.Open(source));
                        break;
                }
            }

            return opened;
        }
        catch
        {
            opened.ForEach(s => s.Dispose());
            throw;
        }
    }

    /// <summary>Options of a live interface.</summary>
    public static AfPacketOptions ToOptions(CaptureSourceConfig source) => new()
    {
        Interface = source.Interface,
        SnapLength = source.Snaplen,
        RingBytes = source.RingBytes,
        BlockBytes = source.BlockBytes,
        BlockTimeout = source.BlockTimeout,
        Workers = source.Workers,
        Fanout = source.Fanout switch
        {
            Config.FanoutMode.Cpu => EgressAppliance.Capture.AfPacket.FanoutMode.Cpu,
            Config.FanoutMode.Lb => EgressAppliance.Capture.AfPacket.FanoutMode.LoadBalance,
            Config.FanoutMode.Rollover => EgressAppliance.Capture.AfPacket.FanoutMode.Rollover,
            _ => EgressAppliance.Capture.AfPacket.FanoutMode.Hash,
        },
        Cpus = source.Cpus,
        Filter = source.Filter,
        Promiscuous = source.Promiscuous,
    };

    /// <summary>Options of the data path.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="sources">How many sources were opened.</param>
    /// <param name="live">The sources cannot wait for the workers.</param>
    public static PipelineOptions ToPipelineOptions(ApplianceConfig config, int sources, bool live)
    {
        // SharpPcap has no fanout: one thread must read such a source, and what its workers are more than that one counts.
        int counting = config.Capture.Sources.Where(s => s.Backend == CaptureBackend.SharpPcap).Sum(s => s.Workers - 1);
        return new PipelineOptions
        {
            CountingThreads = counting,
            Batches = Math.Max(64, 8 * (sources + counting)),
            WaitForBatch = !live,
            Links = ToMatches(config.Links),
            IgnoredMacs = config.Capture.IgnoreMacs,
            Decapsulation = ToDecapsulation(config.Capture.Decapsulate),
        };
    }

    /// <summary>The tunnels as the decoder names them.</summary>
    public static Decapsulation ToDecapsulation(IReadOnlyList<MirrorTunnel> tunnels) => tunnels.Aggregate(
        Decapsulation.None,
        (all, tunnel) => all | tunnel switch
        {
            MirrorTunnel.Erspan => Decapsulation.Erspan,
            MirrorTunnel.Vxlan => Decapsulation.Vxlan,
            MirrorTunnel.Gre => Decapsulation.Gre,
            _ => Decapsulation.IpInIp,
        });

    /// <summary>The rules that the configuration gives; of links without a match there are none.</summary>
    public static IReadOnlyList<LinkMatch> ToMatches(IReadOnlyList<LinkConfig> links) =>
    [
        .. links.Where(l => l.HasMatch).Select(l => new LinkMatch(l.Id, l.MatchMac, l.MatchVlan, l.MatchSource)),
    ];
}
