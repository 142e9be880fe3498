namespace EgressAppliance.Cluster.Deltas;

/// <summary>What is wrong with a message.</summary>
public enum DeltaFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It is no protobuf message.</summary>
    Malformed,

    /// <summary>It is of a format that this version does not read.</summary>
    UnknownFormat,

    /// <summary>It has more links or cells, or longer texts, than a collector sends.</summary>
    TooLarge,

    /// <summary>Columns of a link are of different lengths, or a link is there twice.</summary>
    Inconsistent,

    /// <summary>A prefix has host bits, an impossible length, or is out of order.</summary>
    BadPrefix,

    /// <summary>A number is negative, no number, or larger than a counter can be.</summary>
    BadValue,
}
