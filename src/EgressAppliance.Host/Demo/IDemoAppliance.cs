using EgressAppliance.Host.Http;

namespace EgressAppliance.Host.Demo;

/// <summary>The running appliance, as far as the demo looks at it. Disposing stops it and takes its routes back.</summary>
public interface IDemoAppliance : IAsyncDisposable
{
    /// <summary>TCP port of the HTTP endpoint.</summary>
    int HttpPort { get; }

    /// <summary>What the page sees.</summary>
    IApplianceApi Api { get; }

    /// <summary>IP packets that the data path has counted since start, at this moment.</summary>
    long CountedPackets { get; }
}
