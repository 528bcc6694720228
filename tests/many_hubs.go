package tests

import "github.com/kin-orm/kin"

// The hubs are for the number of relations in [ManyRegistry].
type (
	hubOfClasses struct {
		ID  int64
		F00 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_00"`
		F01 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_01"`
		F02 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_02"`
		F03 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_03"`
		F04 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_04"`
		F05 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_05"`
		F06 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_06"`
		F07 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_07"`
		F08 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_08"`
		F09 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_09"`
		F10 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_10"`
		F11 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_11"`
		F12 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_12"`
		F13 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_13"`
		F14 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_14"`
		F15 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_15"`
		F16 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_16"`
		F17 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_17"`
		F18 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_18"`
		F19 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_19"`
		F20 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_20"`
		F21 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_21"`
		F22 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_22"`
		F23 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_23"`
		F24 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_24"`
		F25 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_25"`
		F26 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_26"`
		F27 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_27"`
		F28 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_28"`
		F29 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_29"`
		F30 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_30"`
		F31 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_31"`
		F32 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_32"`
		F33 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_33"`
		F34 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_34"`
		F35 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_35"`
		F36 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_36"`
		F37 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_37"`
		F38 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_38"`
		F39 kin.ForeignKey[SchoolClass] `kin:",null,related_name=hubofclasses_39"`
	}
	hubOfCategories struct {
		ID  int64
		F00 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_00"`
		F01 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_01"`
		F02 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_02"`
		F03 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_03"`
		F04 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_04"`
		F05 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_05"`
		F06 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_06"`
		F07 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_07"`
		F08 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_08"`
		F09 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_09"`
		F10 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_10"`
		F11 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_11"`
		F12 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_12"`
		F13 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_13"`
		F14 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_14"`
		F15 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_15"`
		F16 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_16"`
		F17 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_17"`
		F18 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_18"`
		F19 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_19"`
		F20 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_20"`
		F21 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_21"`
		F22 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_22"`
		F23 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_23"`
		F24 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_24"`
		F25 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_25"`
		F26 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_26"`
		F27 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_27"`
		F28 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_28"`
		F29 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_29"`
		F30 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_30"`
		F31 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_31"`
		F32 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_32"`
		F33 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_33"`
		F34 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_34"`
		F35 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_35"`
		F36 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_36"`
		F37 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_37"`
		F38 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_38"`
		F39 kin.ForeignKey[Category] `kin:",null,related_name=hubofcategories_39"`
	}
)
