namespace EgressAppliance.Flow;

/// <summary>The export protocol that a record came by.</summary>
public enum FlowProtocol
{
    /// <summary>NetFlow version 5.</summary>
    NetFlow5,

    /// <summary>NetFlow version 9 (RFC 3954).</summary>
    NetFlow9,

    /// <summary>IPFIX (RFC 7011).</summary>
    Ipfix,

    /// <summary>sFlow version 5 (sflow.org, sflow_version_5.txt).</summary>
    SFlow5,
}
